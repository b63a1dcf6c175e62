"""Settings that all tests share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "segkit",
    max_examples=int(os.environ.get("SEGKIT_EXAMPLES", "200")),
    deadline=None,
    derandomize=True,  # the same inputs on every machine: a failure can be repeated
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("segkit")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_root():
    """The folder of real images with ground truth, for tests that need it."""
    folder = Path(os.environ.get("SEGKIT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder (set SEGKIT_DATA)")
    return folder


def hear_interrupts():
    """Let a child process hear Ctrl-C: a job in the background, and all it starts, do not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
