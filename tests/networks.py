"""Tiny networks as ONNX files, whose answer is known."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="pip install 'segkit[test]'")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

NAMES = ("dark", "middle", "bright")


def saved(
    path, nodes, weights, *, given, taken=("n", 3, "r", "c"), dtype=TensorProto.FLOAT,
    taken_dtype=TensorProto.FLOAT,
):  # fmt: skip
    """Write a model of one input and one output, "out"; return its path."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", taken_dtype, taken)],
        [helper.make_tensor_value_info("out", dtype, given)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def pointwise(path, matrix, bias, *, after=(), sides=("n", "r", "c"), **fields):
    """Write a network that gives each pixel matrix @ value + bias, and then what is `after`."""
    weight = np.asarray(matrix, np.float32)[:, :, None, None]
    n, rows, columns = sides
    kinds = [("Conv", {}), *after]
    names = [f"step {k}" for k in range(1, len(kinds))]
    nodes = [
        helper.make_node(kind, reads, [writes], **settings)
        for (kind, settings), reads, writes in zip(
            kinds, [["image", "weight", "bias"], *([name] for name in names)], [*names, "out"],
            strict=True,
        )
    ]  # fmt: skip
    fields = {"given": (n, len(weight), rows, columns)} | fields
    taken = (n, weight.shape[1], rows, columns)
    weights = {"weight": weight, "bias": np.asarray(bias, np.float32)}
    return saved(path, nodes, weights, taken=taken, **fields)


def nearest_grey(path, **fields):
    """Write a network for grey images whose class is the nearest of 0, 100 and 200."""
    levels = np.array([0.0, 100.0, 200.0])
    return pointwise(path, 2 * levels[:, np.newaxis], -(levels**2), **fields)
