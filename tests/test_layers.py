"""The layers: who imports whom, what `import segkit` costs, what is public and documented.

Sources are read, not run, wherever that is enough: an import that only happens
inside a function counts too.
"""

import ast
import inspect
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

import segkit
from tests.conftest import ROOT

# Highest first.  A module imports only from lines below its own, or to its right on it.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("_quality", "_quality_runs", "_quality_measures", "_quality_tables", "_tissues"),
    ("_peers", "_contenders"),
    ("_class_contenders", "_scribble_contenders"),
    ("comparison", "_page", "_chart", "_outlines", "_cases", "_scoring"),
    ("_pipelines", "_tasks", "_closing", "_recipes", "plot"),
    ("datasets", "_dataset_forms"),
    ("_packing", "cnn", "training"),
    ("_models", "_doubts"),
    ("_fitting",),
    ("_training_loop", "_checkpoints"),
    ("growing", "quadtrees", "flooding", "_joining", "merging", "classification"),
    ("chains", "mixtures", "clustering"),
    ("random_field",),
    ("_chain", "_mixtures", "_examples"),
    (
        "_hidden_field",
        "_lloyd",
        "_potts",
        "_confidence",
        "_greedy",
        "_growth",
        "_lakes",
        "_seeds",
        "_gaussian_segmenter",
        "_segmenter",
    ),
    ("metrics", "_optimal_scales", "_class_scores", "_boundary_scores", "_mask_scores"),
    ("_superpixels", "_partitions", "_instances"),
    ("graphs", "relief", "features", "scans", "measuring", "outlining", "labels", "panoptic"),
    ("_files", "_mat", "_decoding"),
    ("_helpers",),  # every other module with an underscore
    ("_check", "_grid", "_dtypes"),
)
ORDER = [module for layer in LAYERS for module in layer]
NAMESPACES = {"metrics", "panoptic", "datasets", "plot", "training"}  # public as modules
HEAVY = (
    *("skimage", "cv2", "matplotlib", "scipy.ndimage", "networkx", "typer", "tqdm", "imageio"),
    *("tifffile", "jinja2", "PIL", "torch", "onnx", "onnxruntime", "sklearn"),
)
AT_THE_TOP = ("cli", "__main__", "_espnet", "_export", "_unet")  # imported by functions alone
SECTIONS = ("Parameters", "Returns", "Raises", "Notes", "Examples")

MODULES = sorted((ROOT / "segkit").glob("*.py"))
KERNELS = sorted((ROOT / "segkit_ext").glob("*.pyx"))
CYTHON = sorted((ROOT / "segkit_ext").glob("*.p[yx][xd]"))
PUBLIC = sorted(getattr(segkit, "__all__", ()))
INSIDE = [
    f"{space}.{name}"
    for space in ("metrics", "panoptic")
    for name in getattr(segkit, space).__all__
]
FUNCTIONS = [name for name in (*PUBLIC, *INSIDE) if inspect.isfunction(attrgetter(name)(segkit))]


def imports(path):
    """Yield the modules a Python file imports, with `from segkit import x` as segkit.x."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "segkit" if node.level and path.parent.name == "segkit" else ""
            base = ".".join(part for part in (package, node.module) if part)
            if base == "segkit":
                yield from (f"{base}.{alias.name}" for alias in node.names)
            else:
                yield base


def rank(module):
    """Return how far down a module stands."""
    if module not in ORDER and module.startswith("_"):
        module = "_helpers"
    assert module in ORDER, f"{module} has no place in LAYERS"
    return ORDER.index(module)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_import_downwards_only(path):
    if path.stem == "__init__":
        return
    for name in imports(path):
        if name.startswith("segkit.") and name != "segkit.__version__":
            other = name.split(".")[1]
            assert rank(other) > rank(path.stem), f"{path.stem} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_takes_long_to_load_is_imported_inside_functions(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{alias.name}" for alias in node.names]
            )
            for name in names:
                assert not name.startswith(tuple(HEAVY)) or path.stem in AT_THE_TOP, name


def test_segkit_has_one_flat_level_of_modules():
    assert [path.name for path in (ROOT / "segkit").glob("*/*.py")] == []


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_kernels_use_only_their_own_pxd_files_and_libc(path):
    own = {pxd.stem for pxd in (ROOT / "segkit_ext").glob("*.pxd")}
    text = path.read_text()
    for line in text.splitlines():
        found = re.match(r"\s*(?:from\s+(\S+)\s+)?c?import\s+(\S+)", line)
        if not found:
            continue
        assert "cimport" in line, f"{path.name} imports Python: {line.strip()}"
        name = found[1] or found[2]
        if name.startswith("."):
            assert name[1:] in own, line
        elif name.startswith("cpython"):
            assert path.name == "interrupt.pxd", f"{path.name}: {line.strip()}"
        else:
            assert name in ("cython", "cython.view") or name.startswith(("libc.", "libcpp")), line


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernels_leave_directives_to_setup_and_keep_no_state(path):
    text = path.read_text()
    assert "# cython:" not in text
    assert "print(" not in text
    assert "prange" not in text
    state = re.findall(r"^cdef (?!enum|struct|class|inline|extern|union|packed)[^(]*$", text, re.M)
    assert state == [], "kernels are pure functions of their arguments"


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernels_release_the_gil_and_poll_for_ctrl_c(path):
    if path.stem == "containers":  # for tests alone
        return
    text = path.read_text()
    assert "with nogil" in text
    assert re.search(r"\bpoll\(\)", text)


def test_setup_declares_free_threading_and_no_unsafe_arithmetic():
    text = (ROOT / "setup.py").read_text()
    found = re.search(r"^DIRECTIVES = (\{.*?^\})", text, re.M | re.S)
    directives = eval(found[1], {"CHECKED": False})
    assert directives["freethreading_compatible"] is True
    assert "fast-math" not in text
    assert "-ffp-contract=off" in text


@pytest.mark.skipif(
    not hasattr(sys, "_is_gil_enabled") or sys._is_gil_enabled(),
    reason="needs a free-threaded Python",
)
def test_importing_the_kernels_keeps_the_gil_off():
    names = ", ".join(f"segkit_ext.{path.stem}" for path in KERNELS)
    subprocess.run(
        [sys.executable, "-c", f"import sys, {names}; assert not sys._is_gil_enabled()"],
        check=True,
    )


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_each_kernel_has_a_plain_version_that_names_it(path):
    plain = "".join(p.read_text() for p in (ROOT / "tests" / "reference").glob("*.py"))
    assert re.search(rf"segkit_ext/{path.stem}\.pyx", plain), f"no plain version of {path.name}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "reference").glob("*.py")), ids=lambda path: path.stem
)
def test_plain_versions_share_nothing_with_segkit(path):
    for name in imports(path):
        package = name.split(".")[0]
        assert package not in ("segkit", "segkit_ext"), name
        assert package not in ("scipy", "skimage", "cv2"), f"{name}: the definition, not a library"


@pytest.mark.parametrize("path", [*MODULES, *CYTHON], ids=lambda path: path.name)
def test_each_file_opens_with_its_idea(path):
    text = path.read_text().lstrip()
    assert text.startswith('"""'), f"{path.name} opens without a docstring"


# What import costs


def fresh(code):
    """Run code in a new Python and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    loaded = fresh("import segkit, sys; print(*sys.modules)").split()
    assert [name for name in HEAVY if name in loaded] == []


def test_import_takes_less_than_03_seconds_beyond_numpy():
    code = (
        "import numpy, time; start = time.process_time(); import segkit; "
        "print(time.process_time() - start)"
    )
    assert min(float(fresh(code)) for _ in range(3)) < 0.3


# What is public


def test_all_lists_every_public_name_once():
    assert len(set(PUBLIC)) == len(PUBLIC)
    for name in PUBLIC:
        assert getattr(segkit, name) is not None
    seen = {name for name in vars(segkit) if not name.startswith("_")}
    modules = {path.stem for path in MODULES}
    assert seen - set(PUBLIC) <= modules, "imported into segkit, but not in __all__"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_functions_without_underscore_are_exported(path):
    """A method module's public functions are segkit's own: helpers bear an underscore."""
    stem = path.stem
    if stem.startswith("_") or stem in NAMESPACES or stem in ("cli",):
        return
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert node.name in PUBLIC, f"{path.name}: {node.name} is public but not exported"


def test_no_module_bears_a_public_name():
    modules = {path.stem for path in MODULES} - NAMESPACES
    assert modules & set(PUBLIC) == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_arguments_are_arrays_and_the_rest_is_keyword_only(name):
    parameters = inspect.signature(attrgetter(name)(segkit)).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    most = 3 if name == "split_region" else 2  # what, which region of it, and how
    assert 1 <= len(positional) <= most, [p.name for p in positional]
    for parameter in parameters:
        assert parameter.annotation is not parameter.empty, parameter.name
    assert inspect.signature(attrgetter(name)(segkit)).return_annotation is not inspect._empty


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_have_every_section_and_parameter(name):
    function = attrgetter(name)(segkit)
    text = inspect.getdoc(function) or ""
    sections = dict(re.findall(r"^(\w+)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", text, re.M | re.S))
    if "Yields" in sections:
        sections["Returns"] = sections["Yields"]
    missing = [section for section in SECTIONS if not sections.get(section, "").strip()]
    assert missing == []
    for parameter in inspect.signature(function).parameters:
        assert re.search(
            rf"^\*{{0,2}}(\w+, )*{parameter}(, \w+)*( ?:|$)", sections["Parameters"], re.M
        ), f"{parameter} is not described"
    assert ">>>" in sections["Examples"]
    assert "**Cost**" in sections["Notes"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_files_named_in_docstrings_exist(name):
    text = inspect.getdoc(attrgetter(name)(segkit)) or ""
    for path in re.findall(r"\b(?:segkit_ext|tests|demos|benchmarks)/[\w/]+\.\w+", text):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_each_reference_has_a_doi(path):
    for text in re.findall(
        r"References\n\s+-+\n(.*?)(?=\n\s+\w+\n\s+-+\n|\"\"\")", path.read_text(), re.S
    ):
        for entry in re.split(r"\n\s*\.\. \[\w+\]", "\n" + text)[1:]:
            assert re.search(r"doi|https?://|ISBN", entry, re.I), entry


def test_no_local_paths_in_the_project():
    for folder in ("segkit", "segkit_ext", "tests", "demos", "benchmarks"):
        for path in Path(ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".pyx", ".pxd", ".md"):
                text = path.read_text()
                assert "/home" + "/" not in text, path
                assert "/work" + "/" not in text, path
