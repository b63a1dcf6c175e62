"""The results of a benchmark as a table in Markdown."""

from __future__ import annotations

from typing import Any

_HEADS = {
    "covering_ods": "covering ODS",
    "covering_ois": "OIS",
    "covering_best": "Best",
    "rand_index_ods": "PRI ODS",
    "rand_index_ois": "OIS",
    "vi_ods": "VI ODS",
    "vi_ois": "OIS",
    "boundary_f_ods": "F ODS",
    "boundary_f_ois": "OIS",
    "variation_of_information": "VI",
    "adapted_rand_error": "adapted Rand error",
    "average_precision": "AP 0.5",
    "mean_average_precision": "AP 0.5:0.95",
    "panoptic_quality": "PQ",
    "segmentation_quality": "SQ",
    "recognition_quality": "RQ",
    "object_iou_1": "IoU, strokes 1",
    "object_iou_2": "IoU, strokes 2",
    "mean_iou": "mean IoU",
    "pixel_accuracy": "pixel accuracy",
    "class_accuracy": "class accuracy",
    "boundary_f1": "boundary F1",
    "mean_dice": "Dice",
    "dice_1": "fluid",
    "dice_2": "gray matter",
    "dice_3": "white matter",
}


def markdown(summary: dict[str, Any]) -> str:
    """Return the table of a benchmark, with a line about it above and notes below."""
    rows = summary["rows"]
    names = list(rows[0]["scores"]) if rows else []
    heads = ["method", *(_HEADS.get(name, name) for name in names), "seconds", "parameters"]
    table = ["| " + " | ".join(heads) + " |"]
    table.append("| --- |" + " ---: |" * (len(names) + 1) + " --- |")
    table += ["| " + " | ".join(_cells(row, names)) + " |" for row in rows]
    images = summary["images"]
    of = "" if images == summary["of"] else f" of {summary['of']}"
    plural = "s" * (summary["of"] != 1)
    title = (
        f"{summary['dataset']}, {summary['split']}: {images}{of} image{plural}. "
        + ", ".join([f"segkit {summary['segkit']}", *summary["libraries"]])
        + "."
    )
    notes = list(summary["notes"])
    notes += [
        f"{row['method']} failed {row['failures']} time(s), scored there as no label."
        for row in rows
        if row["failures"]
    ]
    if any(row["tuned"] for row in rows):
        notes.append("† tuned on the training split.")
    return "\n".join([title, "", *table, "", *(f"{note}\n" for note in notes)])


def _cells(row: dict[str, Any], names: list[str]) -> list[str]:
    name = row["method"] if row["library"] in ("", "segkit") else f"*{row['method']}*"
    seconds = "" if row["seconds"] is None else f"{row['seconds']:.2f}"
    values = [f"{row['scores'][each]:.3f}" for each in names]
    return [name + " †" * row["tuned"], *values, seconds, _parameters(row)]


def _parameters(row: dict[str, Any]) -> str:
    """Return the parameters in words, the scale with the range that was run."""
    words = []
    for key, value in row["parameters"].items():
        text = f"{key} {value}"
        if key == row["scale"]:
            text = f"{key} {row['scales'][0]} to {row['scales'][-1]} (ODS {value})"
        words.append(text)
    return ", ".join(words)
