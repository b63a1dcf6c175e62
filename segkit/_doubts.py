"""What OpenCV's two engines are known to get wrong, without a word.

An ONNX file says what each layer computes, and onnxruntime does just that.  Some 2 700 small graphs
of one to three layers, given to both engines of OpenCV 5.0.0 and to onnxruntime, showed where
OpenCV does something else: it pads on the wrong side where padding is named and not counted
("SAME_UPPER", as networks from TensorFlow have it), chooses other pixels when it
enlarges, rounds otherwise.  Each engine has its own mistakes, so that a model with one of
these layers is left to the other one, unless something better is there to compare with.

One mistake can be gone around.  The faster engine reads beyond the end of its input where it
enlarges a single pixel linearly, as pyramids of pooled features do.  Of one pixel, the nearest one
is the same, and that it does rightly.
"""

from __future__ import annotations

from . import _onnx

_FASTER, _CLASSIC = "opencv", "opencv classic"
_POOLS = ("MaxPool", "AveragePool", "LpPool")
_TO_ONE = ("GlobalAveragePool", "GlobalMaxPool")
_REDUCED = ("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin")
_POINTWISE = (
    *("BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Sigmoid", "HardSigmoid", "HardSwish"),
    *("Clip", "Elu", "Tanh", "Identity", "Dropout"),
)


def doubted(model: _onnx.Model) -> frozenset[str]:
    """Return the engines that have a known reason to be wrong about a model."""
    return frozenset().union(*(_mistaken(node) for node in _onnx.nodes(model)))


def _mistaken(node: _onnx.Node) -> set[str]:
    """Return the engines that get a node wrong, or some of its kind."""
    told = node.told
    strided = any(step > 1 for step in told.get("strides") or [])
    padded = any(_pads(node))
    same = told.get("auto_pad") if strided else None
    by_nearest = node.kind == "Resize" and told.get("mode", "nearest") == "nearest"
    as_all = _transform(node) == "asymmetric" and told.get("nearest_mode") == "floor"
    found = set()
    if (
        same == "SAME_UPPER"
        or (node.kind in _POOLS and told.get("ceil_mode"))
        or (node.kind == "Conv" and padded and set(told.get("kernel_shape") or [0]) == {1})
    ):
        found.add(_FASTER)
    if (
        same == "SAME_LOWER"
        or (node.kind == "AveragePool" and told.get("count_include_pad") and padded)
        or (by_nearest and not as_all)
        or (node.kind == "Cast" and told.get("to") in _onnx.INTEGERS)
    ):
        found.add(_CLASSIC)
    return found


def settled(model: _onnx.Model) -> _onnx.Model:
    """Return a model that does the same, without what the faster engine reads too far for."""
    integers = _onnx.short_integers(model)
    single: set[str] = set()  # names of what has one row and one column
    enlarged: set[str] = set()
    for node in _onnx.nodes(model):
        if node.reads and node.reads[0] in single:
            if node.kind in _POINTWISE or (node.kind == "Conv" and not any(_pads(node))):
                single.update(node.gives)
            elif node.kind == "Resize" and _transform(node) != "tf_crop_and_resize":
                enlarged.update(node.gives)
        elif node.kind in _REDUCED and node.told.get("keepdims", 1):
            axes = node.told.get("axes") or integers.get((*node.reads, "")[1], [])
            if {axis % 4 for axis in axes} >= {2, 3}:
                single.update(node.gives)
        elif node.kind in _TO_ONE:
            single.update(node.gives)
    return _onnx.by_nearest(model, enlarged) if enlarged else model


def _pads(node: _onnx.Node) -> list[int]:
    return node.told.get("pads") or []


def _transform(node: _onnx.Node) -> str:
    return str(node.told.get("coordinate_transformation_mode", "half_pixel"))
