"""Model files that are damaged, or made to do harm: refused by one error that names them."""

import io
import pickle
import random
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

import segkit
from segkit import CNNSegmenter, _onnx
from tests.networks import NAMES, helper, nearest_grey, numpy_helper, onnx, saved

SHIPPED = segkit.cnn._models.FOLDER / "espnet-camvid.onnx"
GREYS = {"class_names": NAMES, "mean": 0, "std": 1, "backend": "opencv"}
ROADS = {"class_names": ["x"] * 12, "mean": 0, "std": 1, "backend": "opencv"}


def refusal(path, *, seconds=5, **told):
    """Return how a file is refused, within seconds and in little memory; None if it is not."""

    def use():
        try:
            CNNSegmenter(path, **told).predict(np.full((64, 64, 3), 99, np.uint8))
        except (ValueError, OSError) as error:
            return str(error)
        return None

    start = time.perf_counter()
    found = use()
    assert time.perf_counter() - start < seconds
    tracemalloc.start()  # it makes all of it slower
    assert use() == found
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert found is None or (str(path) in found and "`model`" in found)
    return found


@pytest.fixture(scope="module")
def whole():
    """The bytes of the network that comes with segkit."""
    return SHIPPED.read_bytes()


def structure(view, kind="model", base=0):
    """Return the places of all bytes that are neither weights nor texts."""
    places = []
    for number, form, value, field in _onnx._fields(view):
        what = _onnx._MESSAGES.get(kind, {}).get(number, ("", ""))[1]
        head = len(field) - len(value) if form == 2 else len(field)
        places += range(base, base + head)
        if what in _onnx._MESSAGES:
            places += structure(value, what, base + head)
        elif form == 2 and len(value) < 200:
            places += range(base + head, base + len(field))
        base += len(field)
    return places


def test_the_shipped_file_is_as_it_was_made(whole):
    assert segkit.cnn._models.known_multiple(whole) == 8
    assert len(whole) < 1.5e6


def test_a_file_that_is_cut_anywhere(tmp_path, whole):
    path = tmp_path / "cut.onnx"
    rng = random.Random(0)
    ends = [0, 1, 2, 7, 8, len(whole) - 1, len(whole) - 2]
    for end in ends + [rng.randrange(len(whole)) for _ in range(60)]:
        path.write_bytes(whole[:end])
        assert refusal(path, **ROADS) is not None


def test_each_cut_of_a_small_file(tmp_path):
    data = nearest_grey(tmp_path / "whole.onnx").read_bytes()
    for end in range(len(data)):
        with pytest.raises(_onnx.DamagedError):
            _onnx.parse(data[:end], tmp_path)


def test_a_flipped_bit_is_refused_or_leaves_a_model(tmp_path, whole):
    """In the structure, where it can do harm; a flipped weight only is another weight."""
    places = structure(memoryview(whole))
    path = tmp_path / "flipped.onnx"
    rng = random.Random(1)
    outcomes = []
    for _ in range(40):
        changed = bytearray(whole)
        changed[rng.choice(places)] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        outcomes.append(refusal(path, **ROADS) is not None)
    assert sum(outcomes) > 20


def test_every_flipped_bit_of_a_small_file_is_read_or_refused(tmp_path):
    data = nearest_grey(tmp_path / "whole.onnx").read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            try:
                model = _onnx.parse(bytes(changed), tmp_path)
            except _onnx.DamagedError:
                continue
            assert model.meaning in ("scores", "probabilities", "labels")


def test_a_result_that_is_not_finite(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx", after=[("Sqrt", {})])
    network = CNNSegmenter(path, **GREYS)
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx: must give finite values"):
        network.predict(np.ones((4, 5)))


# Other files


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("archive/data.pkl", pickle.dumps({}))
    return stream.getvalue()


def npy():
    stream = io.BytesIO()
    np.save(stream, np.arange(9))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (archive(), "is a zip archive, as PyTorch writes them, and may hold a program"),
        *((pickle.dumps({"w": 1}, protocol=k), "is a pickle, and may hold") for k in (2, 3, 4, 5)),
        (pickle.dumps({"w": 1}, protocol=0), "no ONNX model|damaged"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is HDF5, as Keras writes it"),
        (npy(), "is a NumPy array"),
        (b"", "no ONNX model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "no ONNX model|damaged"),
        (b"onnx" * 99, "no ONNX model|damaged"),
        (bytes(10_000), "no ONNX model|damaged"),
        (b"\x0a\x7f" * 50_000, "no ONNX model|damaged"),
        (b"\x08" + b"\xff" * 20, "too many bytes"),
        (b"\x10\x00" * 300_000, "has more than 262144 fields"),
    ],
)
def test_what_is_no_onnx_model(tmp_path, data, text):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    found = refusal(path, **GREYS)
    assert found is not None
    assert any(part in found for part in text.split("|"))


def test_messages_within_messages_end_somewhere(tmp_path):
    data = b""
    for number in [7, *[6, 5, 1] * 400]:  # a graph in an attribute in a node in a graph ...
        data = bytes([number << 3 | 2]) + _onnx._written(len(data)) + data
    with pytest.raises(_onnx.DamagedError):
        _onnx.parse(data, tmp_path)


def test_there_must_be_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.onnx"):
        CNNSegmenter(tmp_path / "nowhere.onnx", **GREYS)
    with pytest.raises(IsADirectoryError):
        CNNSegmenter(tmp_path, **GREYS)


def test_a_file_may_have_so_many_bytes(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx")
    size = path.stat().st_size
    with pytest.raises(ValueError, match=rf"`model` .*a\.onnx: has {size} bytes, more than the 99"):
        CNNSegmenter(path, **GREYS, max_bytes=99)
    assert CNNSegmenter(path, **GREYS, max_bytes=size).classes


# Models that are whole, but not what they should be


def model_of(nodes, *, weights=(), inputs=("image",), outputs=("out",), sides=(1, 1, 8, 8)):
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, 1, sides) for name in inputs],
        [helper.make_tensor_value_info(name, 1, ["n", 3, "r", "c"]) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


WEIGHT = ("w", np.zeros((3, 1, 3, 3), np.float32))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (model_of([helper.make_node("Relu", ["nowhere"], ["out"])]), "reads ['nowhere']"),
        (model_of([helper.make_node("Relu", ["out"], ["out"])]), "reads ['out']"),
        (model_of([helper.make_node("Relu", ["image"], ["image"])]), "writes ['image']"),
        (model_of([helper.make_node("Relu", ["image"], ["x"])]), "gives ['out']"),
        (model_of([]), "gives ['out']"),
        (model_of([helper.make_node("Relu", ["image"], ["out"])], outputs=()), "gives []"),
        (
            model_of([helper.make_node("Add", ["image", "b"], ["out"])], inputs=("image", "b")),
            "takes 2 inputs",
        ),
        (
            model_of([helper.make_node("Identity", ["w"], ["out"])], inputs=(), weights=[WEIGHT]),
            "takes 0 inputs",
        ),
        *(
            (
                model_of(
                    [helper.make_node("Conv", ["image", "w"], ["out"], **fields)],
                    weights=[WEIGHT],
                ),
                text,
            )
            for fields, text in (
                ({"strides": [0, 1]}, "strides [0, 1]"),
                ({"strides": [2**40, 1]}, "strides [1099511627776, 1]"),
                ({"dilations": [-1, 1]}, "dilations [-1, 1]"),
                ({"pads": [0, 0, 0, -1]}, "pads [0, 0, 0, -1]"),
                ({"group": 0}, "group 0"),
                ({"group": 2}, "kernel"),
                ({"kernel_shape": [3, 4]}, "kernel"),
                ({"kernel_shape": [3, 3, 3]}, "kernel"),
                ({"stridez": [1, 1]}, "'stridez', which is unknown"),
            )
        ),
    ],
)
def test_graphs_whose_parts_do_not_fit(tmp_path, model, text):
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    found = refusal(path, **GREYS)
    assert found is not None
    assert text in found


def test_weights_of_other_sides_than_they_say(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx")
    model = onnx.load(path)
    for sides in ([3, 1, 1, 2], [2**40, 2**40], [-3, -1, 1, 1], []):
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(sides)
        path.write_bytes(model.SerializeToString())
        found = refusal(path, **GREYS)
        assert found is not None
        assert "weight 'weight' of sides" in found


@pytest.mark.parametrize(
    ("given", "nodes"),
    [
        ("another size", [helper.make_node("MaxPool", ["s"], ["out"], kernel_shape=[2, 2],
                                           strides=[2, 2])]),
        ("another rank", [helper.make_node("Flatten", ["s"], ["out"])]),
        ("other classes", [helper.make_node("Concat", ["s", "s"], ["out"], axis=1)]),
    ],
)  # fmt: skip
def test_a_result_of_another_shape_than_promised(tmp_path, given, nodes):
    weights = {"w": np.zeros((3, 1, 1, 1), np.float32)}
    path = saved(
        tmp_path / "a.onnx", [helper.make_node("Conv", ["image", "w"], ["s"]), *nodes], weights,
        given=["n"] * (2 if given == "another rank" else 4), taken=(1, 1, 16, 16),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx: must give 3 values") as told:
        CNNSegmenter(path, **GREYS)
    assert "class_names" in str(told.value)


def test_labels_that_have_no_name(tmp_path):
    path = nearest_grey(
        tmp_path / "a.onnx", after=[("ArgMax", {"axis": 1, "keepdims": 0})],
        given=("n", "r", "c"), dtype=7,
    )  # fmt: skip
    network = CNNSegmenter(path, **GREYS | {"class_names": NAMES[:2]})
    assert network.predict(np.zeros((4, 5))).max() == 1
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx: must give labels from 0 to 1"):
        network.predict(np.full((4, 5), 200))


@pytest.mark.parametrize("dtype", [7, 9, 16])
def test_inputs_of_other_types(tmp_path, dtype):
    path = nearest_grey(tmp_path / "a.onnx")
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = dtype
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"`model` .* must take one array \(n, channels, rows"):
        CNNSegmenter(path, **GREYS)


@pytest.mark.parametrize("taken", [("n", "r", "c", 3), (1, 224, 224, 3), (1, 16, 24, 1)])
def test_channels_that_come_last(tmp_path, taken):
    steps = [
        helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Identity", ["first"], ["out"]),
    ]
    path = saved(tmp_path / "a.onnx", steps, {}, given=["n", 3, "r", "c"], taken=taken)
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx: .*, but takes channels last"):
        CNNSegmenter(path, **GREYS | {"mean": (1, 2, 3)})


# Weights in other files


def with_weights_outside(folder, location, name="a.onnx"):
    """Write a model whose weights lie where `location` says."""
    path = nearest_grey(folder / name)
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    raw = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "16"), ("length", str(len(raw)))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())
    return path, bytes(16) + raw


@pytest.mark.parametrize("backend", ["opencv", "onnxruntime"])
def test_weights_beside_the_model_are_read(tmp_path, backend):
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    path, weights = with_weights_outside(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(weights)
    network = CNNSegmenter(path, **GREYS | {"backend": backend})
    assert network.predict([[0, 90, 210]]).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "link/secret", "", "a\0b", ".."])
def test_weights_outside_the_folder_of_the_model_are_refused(tmp_path, location):
    inner = tmp_path / "inner"
    inner.mkdir()
    path, weights = with_weights_outside(inner, location)
    (tmp_path / "secret").write_bytes(weights)
    (inner / "link").symlink_to(tmp_path)
    found = refusal(path, **GREYS)
    assert found is not None
    assert "outside its folder" in found


def test_weights_beside_the_model_that_are_not_whole(tmp_path):
    path, weights = with_weights_outside(tmp_path, "weights.bin")
    assert "is not beside it" in refusal(path, **GREYS)
    (tmp_path / "weights.bin").write_bytes(weights[:-1])
    assert "ends within a weight" in refusal(path, **GREYS)


def in_a_function(path, tensor):
    """Write a model whose weight is a constant within a function."""
    nodes = [
        helper.make_node("Constant", [], ["w"], value=tensor),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    opset = helper.make_opsetid("", 13)
    function = helper.make_function("own", "Part", ["x"], ["y"], nodes, [opset])
    graph = helper.make_graph(
        [helper.make_node("Part", ["image"], ["out"], domain="own")], "g",
        [helper.make_tensor_value_info("image", 1, ("n", 1, "r", "c"))],
        [helper.make_tensor_value_info("out", 1, ("n", 3, "r", "c"))],
    )  # fmt: skip
    opsets = [opset, helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def outside(weight, **told):
    """Return a tensor that says where its numbers are; None: it does not say."""
    tensor = numpy_helper.from_array(weight, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in told.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def test_weights_within_a_function(tmp_path, monkeypatch):
    """They count from the folder of the model, and not from that where Python was started."""
    pytest.importorskip("onnxruntime")
    weight = np.array([-1, 0, 1], np.float32).reshape(3, 1, 1, 1)
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret").write_bytes(weight.tobytes())
    monkeypatch.chdir(tmp_path)
    told = GREYS | {"backend": "onnxruntime"}
    for location, text in (("../secret", "outside its folder"), ("secret", "is not beside it")):
        path = in_a_function(inner / "a.onnx", outside(weight, location=location))
        assert text in refusal(path, **told)
    (inner / "secret").write_bytes(weight.tobytes())
    assert CNNSegmenter(path, **told).predict([[-5, 5]]).tolist() == [[1, 3]]
    (inner / "secret").unlink()
    path = in_a_function(inner / "b.onnx", numpy_helper.from_array(weight, "w"))
    assert CNNSegmenter(path, **told).predict([[-5, 5]]).tolist() == [[1, 3]]


def test_nodes_of_a_function_that_do_not_fit(tmp_path):
    path = in_a_function(tmp_path / "a.onnx", numpy_helper.from_array(np.zeros((3, 1, 1, 1)), "w"))
    model = onnx.load(path)
    model.functions[0].node[1].input[0] = "nowhere"
    path.write_bytes(model.SerializeToString())
    assert "reads ['nowhere']" in refusal(path, **GREYS)
    model.functions[0].node[1].input[0] = "x"
    model.functions[0].output[0] = "nobody"
    path.write_bytes(model.SerializeToString())
    assert "gives ['nobody']" in refusal(path, **GREYS)


def test_weights_that_are_elsewhere_but_nobody_says_where(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx")
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(outside(np.zeros((3, 1, 1, 1), np.float32)))
    model.graph.initializer[0].name = "weight"
    path.write_bytes(model.SerializeToString())
    assert "outside its folder, in ''" in refusal(path, **GREYS)


def test_sparse_weights_are_refused(tmp_path):
    path = nearest_grey(tmp_path / "a.onnx")
    model = onnx.load(path)
    sparse = onnx.SparseTensorProto(dims=[9])
    sparse.values.CopyFrom(outside(np.zeros(1, np.float32), location="../secret"))
    node = helper.make_node("Constant", [], ["w"], sparse_value=sparse)
    model.graph.node.insert(0, node)
    path.write_bytes(model.SerializeToString())
    assert "holds sparse weights" in refusal(path, **GREYS)
    model.graph.node.pop(0)
    model.graph.sparse_initializer.append(sparse)
    path.write_bytes(model.SerializeToString())
    assert "holds sparse weights" in refusal(path, **GREYS)


# What only shows when it runs


@pytest.mark.parametrize("backend", ["opencv", "onnxruntime"])
def test_a_model_that_would_fill_the_memory_is_tried_elsewhere(tmp_path, backend):
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    repeats = np.array([1, 3, 40_000, 40_000], dtype=np.int64)
    path = saved(
        tmp_path / "a.onnx", [helper.make_node("Tile", ["image", "repeats"], ["out"])],
        {"repeats": repeats}, given=["n"] * 4, taken=(1, 1, 8, 8),
    )  # fmt: skip
    found = refusal(path, seconds=20, **GREYS | {"backend": backend})
    assert found is not None
    assert "cannot run it" in found


@pytest.mark.parametrize(
    "sides", [(1, 20_000, 20_000), (1, 2**31, 2**31), (2**31, 8, 8), (2**40, "r", "c")]
)
def test_a_model_that_takes_a_giant_image_is_refused_before_there_is_one(tmp_path, sides):
    path = nearest_grey(tmp_path / "a.onnx", sides=sides)
    assert "more than 33554432 values at once" in refusal(path, seconds=1, **GREYS)


def test_a_model_that_ends_its_process_does_not_end_this_one(tmp_path, monkeypatch):
    path = nearest_grey(tmp_path / "a.onnx")
    killer = tmp_path / "killer.py"
    killer.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr(segkit.cnn._trial, "__file__", str(killer))
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx.*ends the process \(signal 11\)"):
        CNNSegmenter(path, **GREYS)


def test_a_model_that_never_ends_is_given_up(tmp_path, monkeypatch):
    path = nearest_grey(tmp_path / "a.onnx")
    killer = tmp_path / "killer.py"
    killer.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(segkit.cnn._trial, "__file__", str(killer))
    monkeypatch.setattr(segkit.cnn._trial, "_SLOW", 0.1)
    with pytest.raises(ValueError, match=r"`model` .*a\.onnx.*takes too long"):
        CNNSegmenter(path, **GREYS)


def test_where_no_other_python_can_be_started_it_is_tried_here(tmp_path, monkeypatch):
    path = nearest_grey(tmp_path / "a.onnx")
    monkeypatch.setattr("sys.executable", "")
    assert CNNSegmenter(path, **GREYS).predict([[0, 90, 210]]).tolist() == [[1, 2, 3]]
