"""Making the network that comes with segkit from the parameters that its authors published.

``python -m segkit._packing FOLDER`` reads weights.npz and reference.npz in FOLDER, and
writes the ONNX file and what must be known of it into ``segkit/models``, where
the license lies.  The same parameters give the same bytes, so that a test can
make the file again and compare.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from . import training
from ._files import write_complete

MODELS = Path(__file__).with_name("models")
NAME = "espnet-camvid"
CLASSES = (
    *("sky", "building", "column/pole", "road", "pavement", "tree", "sign/symbol", "fence"),
    *("car", "pedestrian", "bicyclist", "void"),
)


def pack(source: Path, target: Path) -> None:
    """Write the network, and what must be known of it, into the folder `target`."""
    with np.load(source / "weights.npz", allow_pickle=False) as arrays:
        model = training.espnet(len(CLASSES), arrays=arrays)
    path = target / f"{NAME}.onnx"
    about = (MODELS / f"{NAME}.txt").read_text(encoding="utf-8")
    training.export_onnx(model, path, about=about)
    with np.load(source / "reference.npz", allow_pickle=False) as reference:
        mean, std = reference["mean_bgr"], reference["std_bgr"] * 255
    told = {
        "class_names": CLASSES,
        "mean": mean.tolist(),
        "std": std.tolist(),
        "channels": "bgr",
        "multiple": 8,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    text = json.dumps(told, indent=1) + "\n"
    write_complete(target / f"{NAME}.json", lambda stream: stream.write(text.encode()))


if __name__ == "__main__":
    pack(Path(sys.argv[1]), MODELS)
