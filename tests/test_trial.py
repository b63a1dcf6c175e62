"""Networks of other frameworks, tried before they are used: right on each backend, or refused."""

import io
import warnings

import numpy as np
import pytest

from segkit import CNNSegmenter, _backends, _doubts, _models, _onnx, _trial
from tests.networks import helper, saved

RNG = np.random.default_rng(0)
NAMES = tuple("abcd")
SHAPES = {
    "stem": (6, 3, 3, 3), "deep": (8, 6, 3, 3), "pooled": (8, 8, 1, 1), "last": (4, 8, 1, 1),
    "joined": (4, 16, 1, 1),
}  # fmt: skip
WEIGHTS = {
    name: (RNG.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    for name, shape in SHAPES.items()
}
WEIGHTS |= {"twice": np.array([1, 1, 2, 2], np.float32), "size": np.array([1, 8, 16, 24])}
WEIGHTS |= {"four times": np.array([1, 1, 4, 4], np.float32), "axes": np.array([2, 3])}
LINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
PADDED = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
SAME = {"strides": [2, 2], "auto_pad": "SAME_UPPER"}
IMAGE = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
ODD = IMAGE[:61, :83]


def written(path, *steps, sides=("n", "r", "c"), **fields):
    """Write a network of steps (kind, what it reads, fields); each gives what its number says."""
    nodes = [
        helper.make_node(
            kind, reads.split(","), ["out" if k == len(steps) - 1 else f"s{k}"], **told
        )
        for k, (kind, reads, told) in enumerate(steps)
    ]
    used = {name: WEIGHTS[name] for _, reads, _ in steps for name in reads.split(",")
            if name in WEIGHTS}  # fmt: skip
    n, rows, columns = sides
    fields = {"given": (n, 4, rows, columns)} | fields
    return saved(path, nodes, used, taken=(n, 3, rows, columns), **fields)


PYRAMID = (
    ("Conv", "image,stem", PADDED),
    ("Conv", "s0,deep", PADDED),
    ("GlobalAveragePool", "s1", {}),
    ("Conv", "s2,pooled", {}),
    ("Relu", "s3", {}),
    ("Resize", "s4,,,size", LINEAR),
    ("Concat", "s1,s5", {"axis": 1}),
    ("Conv", "s6,joined", {}),
    ("Resize", "s7,,four times", LINEAR),
)
FROM_TENSORFLOW = (
    ("Conv", "image,stem", SAME),
    ("Relu", "s0", {}),
    ("Conv", "s1,deep", SAME),
    ("Conv", "s2,last", {}),
    ("Resize", "s3,,four times", LINEAR),
    ("Transpose", "s4", {"perm": [0, 2, 3, 1]}),
    ("Softmax", "s5", {"axis": 3}),
    ("Transpose", "s6", {"perm": [0, 3, 1, 2]}),
)
COUNTED = (
    ("Conv", "image,stem", {"pads": [1, 1, 1, 1]}),
    ("AveragePool", "s0", {"kernel_shape": [3, 3], "count_include_pad": 1, **PADDED}),
    ("Conv", "s1,deep", {"pads": [1, 1, 1, 1]}),
    ("Conv", "s2,last", {}),
    ("Resize", "s3,,twice", {"mode": "nearest", "coordinate_transformation_mode": "half_pixel",
                             "nearest_mode": "floor"}),
)  # fmt: skip
CEILED = (
    ("Conv", "image,stem", {"pads": [1, 1, 1, 1]}),
    ("AveragePool", "s0", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1,
                           "count_include_pad": 1}),
    ("Conv", "s1,deep", {"pads": [1, 1, 1, 1]}),
    ("Conv", "s2,last", {}),
    ("Resize", "s3,,twice", LINEAR),
)  # fmt: skip
FIXED = (1, 64, 96)
NETWORKS = {
    "pyramid": (PYRAMID, FIXED), "tensorflow": (FROM_TENSORFLOW, ("n", "r", "c")),
    "tensorflow, fixed": (FROM_TENSORFLOW, FIXED), "counted": (COUNTED, ("n", "r", "c")),
    "ceiled": (CEILED, FIXED),
}  # fmt: skip


def network(path, backend):
    return CNNSegmenter(path, class_names=NAMES, mean=100, std=50, backend=backend)


def assert_equal(one, other, image):
    """Both give the same probabilities, so the same labels unless two are equal to six digits."""
    np.testing.assert_allclose(one.predict_proba(image), other.predict_proba(image), atol=1e-4)
    assert np.count_nonzero(one.predict(image) != other.predict(image)) <= 2


@pytest.mark.parametrize("alone", [False, True], ids=["judged", "alone"])
@pytest.mark.parametrize("name", NETWORKS)
def test_layers_that_one_engine_gets_wrong_are_left_to_the_other(
    tmp_path, monkeypatch, name, alone
):
    pytest.importorskip("onnxruntime")
    steps, sides = NETWORKS[name]
    path = written(tmp_path / "a.onnx", *steps, sides=sides)
    wanted = network(path, "onnxruntime")
    if alone:
        monkeypatch.setattr(_backends, "faster", lambda: False)
    found = network(path, "opencv")
    assert_equal(found, wanted, IMAGE)
    assert_equal(found, wanted, ODD)


def test_an_engine_that_is_known_to_be_wrong_is_not_used_alone(tmp_path, monkeypatch):
    """Sizes that are computed are more than the classic engine can; the other one pads wrongly."""
    steps = [
        *FROM_TENSORFLOW[:4],
        ("Shape", "image", {}),
        ("Slice", "s4,two,four", {}),
        ("Slice", "size,zero,two", {}),
        ("Concat", "few,s5", {"axis": 0}),
        ("Resize", "s3,,,s7", LINEAR),
    ]
    monkeypatch.setitem(WEIGHTS, "two", np.array([2]))
    monkeypatch.setitem(WEIGHTS, "four", np.array([4]))
    monkeypatch.setitem(WEIGHTS, "zero", np.array([0]))
    monkeypatch.setitem(WEIGHTS, "few", np.array([1, 4]))
    path = written(tmp_path / "a.onnx", *steps)
    text = r"`model` .*a\.onnx: opencv cannot run it: {}; onnxruntime runs more models"
    if _backends.faster():
        wrong = "it gives other values than onnxruntime does"
        with pytest.raises(ValueError, match=text.format(wrong)):
            network(path, "opencv")
    monkeypatch.setattr(_backends, "faster", lambda: False)
    with pytest.raises(ValueError, match=text.format("it has layers that OpenCV gets wrong")):
        network(path, "opencv")


def test_one_pixel_is_enlarged_by_the_nearest(tmp_path):
    """What a pool, or a sum over rows and columns, makes of an image has one pixel."""
    summed = ("ReduceMean", "s1", {"axes": [2, 3]})
    for steps in (PYRAMID, [*PYRAMID[:2], summed, *PYRAMID[3:]]):
        model = _models.opened(written(tmp_path / "a.onnx", *steps, sides=FIXED), 2**20)
        modes = [node.told["mode"] for node in _onnx.nodes(_doubts.settled(model))
                 if node.kind == "Resize"]  # fmt: skip
        assert modes == ["nearest", "linear"]
    model = _models.opened(written(tmp_path / "a.onnx", *CEILED, sides=FIXED), 2**20)
    assert _doubts.settled(model) is model


@pytest.mark.parametrize(
    ("kind", "told", "engines"),
    [
        ("Conv", SAME, {"opencv"}),
        ("Conv", SAME | {"strides": [1, 1]}, set()),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 1}, {"opencv"}),
        ("Conv", {"kernel_shape": [1, 1], "pads": [0, 0, 1, 1]}, {"opencv"}),
        ("Conv", SAME | {"auto_pad": "SAME_LOWER"}, {"opencv classic"}),
        ("AveragePool", {"count_include_pad": 1, "pads": [1, 1, 1, 1]}, {"opencv classic"}),
        ("Resize", {"mode": "nearest"}, {"opencv classic"}),
        ("Resize", LINEAR | {"mode": "nearest"}, {"opencv classic"}),
        ("Resize", ASYMMETRIC, set()),
        ("Resize", LINEAR, set()),
        ("Cast", {"to": 7}, {"opencv classic"}),
        ("Cast", {"to": 1}, set()),
    ],
)  # fmt: skip
def test_what_each_engine_is_known_to_get_wrong(kind, told, engines):
    assert _doubts._mistaken(_onnx.Node(kind, ("x",), ("y",), told)) == engines


def way(engine, *results):
    """Return an engine that gives these results for images of 2 x 2."""
    return _trial._Way(engine, 1, lambda _: results[0], [((2, 2), each) for each in results])


RIGHT, WRONG = np.arange(12.0).reshape(1, 3, 2, 2), np.arange(12.0)[::-1].reshape(1, 3, 2, 2)


@pytest.mark.parametrize(
    ("values", "judge", "doubted", "trusted"),
    [
        ([RIGHT, RIGHT], RIGHT, (), "first"),
        ([WRONG, RIGHT], RIGHT, (), "second"),
        ([WRONG, RIGHT], RIGHT, ("second",), "second"),
        ([WRONG, WRONG], RIGHT, (), "it gives other values than judge does"),
        ([RIGHT, RIGHT * (1 + 1e-7)], None, ("first",), "first"),
        ([RIGHT, WRONG], None, (), "its two engines give different values"),
        ([RIGHT, WRONG], None, ("second",), "first"),
        ([RIGHT, WRONG], None, ("first",), "second"),
        ([RIGHT, WRONG], None, ("first", "second"), "its two engines give different values"),
        ([RIGHT], None, (), "first"),
        ([RIGHT], None, ("first",), "it has layers that OpenCV gets wrong"),
        ([RIGHT * np.nan], RIGHT, (), "it gives other values than judge does"),
        ([RIGHT * np.nan], RIGHT * np.nan, (), "first"),
    ],
)
def test_which_engine_is_trusted(values, judge, doubted, trusted):
    ways = [way(name, value) for name, value in zip(("first", "second"), values, strict=False)]
    judges = [] if judge is None else [way("judge", judge)]
    found = _trial._trusted(ways, judges, set(doubted), taken=[1, 3])
    assert trusted in found.get("engine", found.get("error"))


def test_an_engine_that_ends_the_process_is_left_out(tmp_path, monkeypatch):
    path = written(tmp_path / "a.onnx", *COUNTED)
    killer = tmp_path / "killer.py"
    killer.write_text(
        "import json, os, signal, sys\n"
        "told = json.loads(sys.argv[1])\n"
        "engine = told['engines'][0]\n"
        "print(engine, flush=True)\n"
        "if engine == 'opencv':\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)\n"
        "found = {'engine': engine, 'multiple': 2, 'size': [8, 8], 'shape': [1, 4, 8, 8]}\n"
        "print(json.dumps(found))\n"
    )
    monkeypatch.setattr(_trial, "__file__", str(killer))
    assert network(path, "opencv")._engine == "opencv classic"


@pytest.mark.parametrize("multiple", [1, 4, 64])
def test_sizes_are_multiples_and_of_both_parities_where_they_can_be(multiple):
    (sizes,) = [sizes for found, sizes in _trial._sizes(None) if found == multiple]
    assert all(side % multiple == 0 for size in sizes for side in size)
    if multiple == 1:
        assert {side % 2 for size in sizes for side in size} == {0, 1}


# PyTorch's own exporter


def exported(path, model, *, free, opset):
    """Write a network of PyTorch by the exporter that traces."""
    torch = pytest.importorskip("torch", reason="pip install 'segkit[train]'")
    axes = {0: "n", 2: "r", 3: "c"}
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.zeros(1, 3, 64, 96),), stream, dynamo=False, opset_version=opset,
            input_names=["image"], output_names=["out"],
            dynamic_axes={"image": axes, "out": axes} if free else None,
        )  # fmt: skip
    path.write_bytes(stream.getvalue())
    return path


def pyramid_of_pytorch():
    """A pooled pixel enlarged to the size of the rest, all of it to the size of the image."""
    from torch import cat, nn
    from torch.nn import functional

    class Pyramid(nn.Module):
        def __init__(self):
            super().__init__()
            self.deep = nn.Sequential(
                nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.Hardswish(),
                nn.Conv2d(6, 8, 3, 2, 4, dilation=4), nn.GroupNorm(2, 8), nn.SiLU(),
            )  # fmt: skip
            self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.ReLU())
            self.last = nn.Conv2d(16, 4, 1)

        def forward(self, image):
            deep = self.deep(image)
            pooled = functional.interpolate(self.pooled(deep), deep.shape[2:], mode="bilinear")
            scores = self.last(cat([deep, pooled], 1))
            return functional.interpolate(scores, image.shape[2:], mode="bilinear")

    return Pyramid()


@pytest.mark.parametrize("free", [False, True], ids=["fixed", "free"])
@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("backend", ["opencv", "onnxruntime"])
def test_a_network_exported_by_pytorch(tmp_path, monkeypatch, backend, opset, free):
    torch = pytest.importorskip("torch", reason="pip install 'segkit[train]'")
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    monkeypatch.setattr(_backends, "faster", lambda: backend == "onnxruntime")
    torch.manual_seed(0)
    model = pyramid_of_pytorch().eval()
    path = exported(tmp_path / "a.onnx", model, free=free, opset=opset)
    found = network(path, backend)
    for image in (IMAGE, ODD) if free else (IMAGE,):
        batch = ((image.astype(np.float32) - 100) / 50).transpose(2, 0, 1)[np.newaxis]
        with torch.no_grad():
            wanted = model(torch.from_numpy(batch)).softmax(1)[0].numpy().transpose(1, 2, 0)
        np.testing.assert_allclose(found.predict_proba(image), wanted, atol=1e-4)
