"""Build the kernels: every ``segkit_ext/*.pyx`` is one extension module.

``SEGKIT_CHECKED=1`` builds them with bounds checks, for tests: a wrong offset
then raises IndexError instead of reading a neighbor's memory.
"""

import os
import sys
from glob import glob
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CHECKED = os.environ.get("SEGKIT_CHECKED", "0") not in ("", "0")

DIRECTIVES = {
    "language_level": "3",
    "boundscheck": CHECKED,
    "initializedcheck": CHECKED,
    "wraparound": False,
    "nonecheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}

# No contraction: a fused multiply-add would make results depend on the processor.
if sys.platform == "win32":
    COMPILE_ARGS = ["/O2"]
else:
    # No debug information: a quarter of the time to compile, most of the size.
    COMPILE_ARGS = ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno"]

extensions = [
    Extension(f"segkit_ext.{Path(path).stem}", [path], extra_compile_args=COMPILE_ARGS)
    for path in sorted(glob("segkit_ext/*.pyx"))
]

# Generated C goes below build/, one folder for each kind of build, so that a
# checked build never leaves its code to a normal one.
setup(
    ext_modules=cythonize(
        extensions,
        compiler_directives=DIRECTIVES,
        build_dir="build/checked" if CHECKED else "build/cython",
        annotate=False,
    ),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
