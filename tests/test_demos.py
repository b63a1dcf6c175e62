"""Each demo writes its picture, in less than 10 seconds."""

import os
import subprocess
import sys

import numpy as np
import pytest

import segkit
from tests.conftest import ROOT

SHARED = ("sheet", "street")
DEMOS = sorted(path.stem for path in (ROOT / "demos").glob("*.py") if path.stem not in SHARED)


@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_writes_its_picture(name, tmp_path):
    out = tmp_path / "deep" / f"{name}.png"
    start = os.times().children_user
    done = subprocess.run(
        [sys.executable, "-W", "error", f"demos/{name}.py", "--out", str(out)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert os.times().children_user - start < 10, "seconds of one processor"
    assert done.stdout.strip() == str(out)
    picture = segkit.read_image(out, alpha="drop") if name == "gallery" else _opaque(out)
    assert min(picture.shape[:2]) > 400
    assert np.ptp(picture) == 255


def _opaque(path):
    """Read a picture whose alpha channel matplotlib wrote."""
    with pytest.warns(UserWarning, match="alpha channel was dropped"):
        return segkit.read_image(path)


def test_there_is_a_demo_for_each_family():
    assert {"region_growing", "watershed", "split_and_merge", "octree", "merge_tree"} <= set(DEMOS)
