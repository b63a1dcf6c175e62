"""What a training needs to go on as if it had never been stopped, in a file of arrays.

Weights, the state of the optimizer, the best weights so far and the history, after every
epoch.  All that is random in an epoch depends on the seed and the number of the epoch, so no
generator has to be kept.  The file is written beside, and gets its name when complete: a
process that is killed leaves the one before.  It is an .npz of plain arrays with a text in
JSON; nothing in it is ever run.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ._files import write_complete

_TEXT = "state"
_ROOM = 2**31  # bytes; larger files are no checkpoint of ours


def write(path: Path, groups: dict[str, dict[str, np.ndarray]], text: dict[str, Any]) -> None:
    """Write arrays, in named groups, and what JSON can hold."""
    arrays = {f"{group}/{name}": a for group, each in groups.items() for name, a in each.items()}
    arrays[_TEXT] = np.frombuffer(json.dumps(text).encode(), dtype=np.uint8)
    write_complete(path, lambda stream: np.savez(stream, **arrays))  # type: ignore[arg-type]


def read(path: Path) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, Any]]:
    """Return what `write` wrote; a file that holds anything else is a ValueError."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    try:
        if path.stat().st_size > _ROOM:
            raise ValueError("too large")
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            text = json.loads(found[_TEXT].tobytes().decode())
            for name in found.files:
                group, _, key = name.partition("/")
                if key:
                    groups.setdefault(group, {})[key] = found[name]
    except OSError:
        raise
    except (ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"`checkpoint` {path} is damaged, or not of a training: {error}") from None
    if not isinstance(text, dict):
        raise ValueError(f"`checkpoint` {path} is not of a training")
    return groups, text
