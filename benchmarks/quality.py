"""The tables of docs/quality.md, from the results of `segkit benchmark quality`.

The page holds the words, and a pair of marks for each table; what stands between
them is replaced by what a folder of results says.  A table without results stays.
"""

import json
import re

from segkit._quality_tables import markdown

MARK = re.compile(r"<!-- table: (\S+) -->\n(.*?)<!-- end of table -->", re.S)


def fill(page, folder):
    """Return the text of a page with its tables made from the results in a folder."""

    def table(found):
        path = folder / f"{found[1]}.json"
        if not path.is_file():
            return found[0]
        summary = json.loads(path.read_text(encoding="utf-8"))
        text = markdown(summary).strip()
        return f"<!-- table: {found[1]} -->\n\n{text}\n\n<!-- end of table -->"

    return MARK.sub(table, page)


def tables(page):
    """Return the names of the tables that a page has marks for."""
    return [name for name, _ in MARK.findall(page)]
