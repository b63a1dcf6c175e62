"""The tables as Markdown."""

START = "<!-- tables: written by python -m benchmarks speed --readme -->"
END = "<!-- end of tables -->"


def markdown(tables):
    """Return all tables, where they ran, and a list of what fell short."""
    parts = [where(tables), "### Speed", speed_table(tables["speed"])]
    if tables["memory"]:
        parts += ["### Memory", memory_table(tables["memory"])]
    if tables["growth"]:
        parts += ["### Growth", growth_table(tables["growth"])]
    if tables["small"]:
        parts += ["### Small images", small_table(tables["small"])]
    parts += ["### Where we fall short", shortfalls(tables)]
    return "\n\n".join(parts) + "\n"


def where(tables):
    about = tables["environment"]
    versions = ", ".join(
        f"{name} {version}" for name, version in about["versions"].items() if version
    )
    size = "1 megapixel and 64^3" if tables["quick"] else "4 megapixels and 128^3"
    return (
        f"segkit {about['segkit']}, Python {about['python']}, {versions}.\n"
        f"{about['machine']}, {about['date']}. One thread, CPU time, median of the rounds, "
        f"{size}.\nRatio: time of the peer over ours; above 1 we are faster."
    )


def table(header, rows):
    """Return a Markdown table; columns after the second are numbers, to the right."""
    marks = ["---", "---"] + ["--:"] * (len(header) - 2)
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(row, name, digits=2):
    value = row.get(name)
    return "" if value is None else f"{value:.{digits}f}"


def verdict(row):
    return {True: "yes", False: "**no**"}.get(row.get("met"), "")


def speed_table(rows):
    header = [
        *("task", "input", "ns/pixel", "peer", "its ns/pixel", "ratio", "target", "met"),
        *("equal pixels", "labels, ours / its", "note"),
    ]
    lines = []
    for row in rows:
        target = "" if row["target"] is None else f">= {row['target']:g}"
        equal = "" if row.get("agreement") is None else f"{100 * row['agreement']:.3f} %"
        counts = f"{row['n_ours']} / {row['n_peer']}" if "n_ours" in row else ""
        lines.append(
            [
                *(row["task"], row["input"], number(row, "ours_ns"), row["peer"]),
                *(number(row, "peer_ns"), number(row, "ratio"), target, verdict(row)),
                *(equal, counts, row["note"]),
            ]
        )
    return table(header, lines)


def memory_table(rows):
    lines = [
        [
            *(row["task"], row["input"], number(row, "ours", 1), f"<= {row['limit']:g}"),
            verdict(row),
            ", ".join(
                f"{name} {value:.1f}" for name, value in row["peers"].items() if value is not None
            ),
        ]
        for row in rows
    ]
    return (
        "Peak bytes per pixel above the inputs, result included: ours at 16 megapixels "
        "(1 with --quick), peers at 4.\n\n"
    ) + table(["task", "input", "ours", "limit", "met", "peers"], lines)


def growth_table(rows):
    lines = [
        [
            *(row["task"], row["input"], number(row, "ns_1mp"), number(row, "ns_16mp")),
            *(number(row, "ratio"), f"<= {row['limit']:g}", verdict(row)),
        ]
        for row in rows
    ]
    header = ["task", "input", "ns/pixel, 1 MP", "16 MP", "ratio", "limit", "met"]
    return table(header, lines)


def small_table(rows):
    lines = [
        [
            *(row["task"], "64 x 64", number(row, "whole_us", 1), number(row, "overhead_us", 1)),
            *(f"<= {row['limit']:g}", verdict(row)),
        ]
        for row in rows
    ]
    return table(["task", "input", "us a call", "above its pixels' time", "limit", "met"], lines)


def shortfalls(tables):
    """Return a list of every target missed and every peer that is faster."""
    lines = []
    for row in tables["speed"]:
        if row.get("met") is False or (row.get("ratio", 1) < 1 and row["target"] is None):
            aim = "" if row["target"] is None else f", target {row['target']:g}"
            lines.append(f"{row['task']} ({row['input']}): {row['ratio']:.2f}x {row['peer']}{aim}")
    for row in tables["memory"]:
        if not row["met"]:
            came = "no result" if row["ours"] is None else f"{row['ours']:.1f} bytes per pixel"
            lines.append(f"{row['task']} ({row['input']}): {came}, limit {row['limit']:g}")
    lines += [
        f"{row['task']} ({row['input']}): {row['ratio']:.2f} times the time per pixel at 16 "
        f"megapixels, limit {row['limit']:g}"
        for row in tables["growth"]
        if not row["met"]
    ]
    lines += [
        f"{row['task']}: {row['overhead_us']:.0f} us on a 64 x 64 image, limit {row['limit']:g}"
        for row in tables["small"]
        if not row["met"]
    ]
    return "\n".join(f"- {line}" for line in lines) or "Nowhere in this run."


def write_between_marks(path, text):
    """Replace what stands between the two marks of a file."""
    whole = path.read_text()
    before, rest = whole.split(START)
    _, after = rest.split(END)
    path.write_text(f"{before}{START}\n\n{text}\n{END}{after}")
