"""Writing a network as an ONNX file, node by node.

PyTorch's own exporter needs further packages, and writes other bytes with each of its
versions.  The networks here are made of few kinds of parts, so each is written by a few
lines, and the same parameters give the same file everywhere.

A batch norm is, once trained, a factor and an offset for each channel.  Behind a
convolution whose result nobody else uses both go into its weights; elsewhere they stay
as one multiplication and one addition.  Sums are in double.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET, IR_VERSION = 13, 8  # old enough for every reader, and nothing newer is needed
_SKIPPED = (nn.Dropout, nn.Dropout2d, nn.Identity)
_ADDITIONS = (operator.add, operator.iadd, torch.add)


def to_onnx(model: nn.Module, *, n_channels: int, about: str = "") -> bytes:
    """Return a trained network as an ONNX file; (n, channels, R, C) in, scores out."""
    if any(part.training for part in model.modules()):
        raise ValueError("`model` must be in evaluation mode: model.eval()")
    first = next(model.parameters(), torch.empty(0))
    stride = getattr(model, "stride", 1)  # a network's; a layer's is a pair
    side = max(64, stride if isinstance(stride, int) else 1)
    with torch.no_grad():
        probe = torch.zeros(1, n_channels, side, side, dtype=first.dtype, device=first.device)
        n_classes = model(probe).shape[1]
    graph = _Writer(model).write(n_channels, n_classes)
    written = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="segkit",
        doc_string=about,
    )
    onnx.checker.check_model(written, full_check=True)
    return written.SerializeToString(deterministic=True)


class _Writer:
    """Nodes and weights of a graph as they come together."""

    def __init__(self, model: nn.Module) -> None:
        self.trace = torch.fx.symbolic_trace(nn.Sequential(model))  # one part is a network too
        self.parts = dict(self.trace.named_modules())
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.names: dict[torch.fx.Node, str] = {}  # of what a node gives

    def write(self, n_channels: int, n_classes: int) -> Any:
        """Return the graph."""
        skipped: set[torch.fx.Node] = set()
        for node in self.trace.graph.nodes:
            if node in skipped:
                continue
            if node.op == "placeholder":
                self.names[node] = "image"
            elif node.op == "call_module":
                self._part(node, skipped)
            elif node.op == "call_function":
                self._function(node)
            elif node.op == "output":
                self._name_result(node.args[0])
            else:
                raise ValueError(f"`model` uses {node.target}, which cannot be exported")
        return helper.make_graph(
            self.nodes,
            "network",
            [_described("image", n_channels)],
            [_described("scores", n_classes)],
            self.weights,
        )

    def _add(
        self, kind: str, inputs: list[Any], *arrays: Any, name: str = "", **fields: Any
    ) -> str:
        """Add a node that reads other nodes, then arrays; return the name of its result."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        read = [self.names.get(each, each) for each in inputs]
        for k, array in enumerate(arrays):
            read.append(f"{name}.{k}")
            self.weights.append(numpy_helper.from_array(array.astype(np.float32), read[-1]))
        self.nodes.append(helper.make_node(kind, read, [name], **fields))
        return name

    def _name_result(self, node: Any) -> None:
        """Call what a node gives the scores."""
        name = self.names[node]
        for each in self.nodes:
            for names in (each.input, each.output):
                for k, found in enumerate(names):
                    names[k] = "scores" if found == name else found

    def _function(self, node: torch.fx.Node) -> None:
        if node.target is torch.cat and list(node.args[1:]) == [1] and not node.kwargs:
            self.names[node] = self._add("Concat", list(node.args[0]), axis=1)
        elif node.target in _ADDITIONS and not node.kwargs:
            self.names[node] = self._add("Add", list(node.args))
        elif node.target in (torch.relu, nn.functional.relu):
            self.names[node] = self._add("Relu", list(node.args[:1]))
        else:
            raise ValueError(f"`model` uses {node.target}, which cannot be exported")

    def _part(self, node: torch.fx.Node, skipped: set[torch.fx.Node]) -> None:
        part: Any = self.parts[str(node.target)]
        inputs = list(node.args)
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            after = next(iter(node.users))
            norm = self.parts.get(str(after.target)) if after.op == "call_module" else None
            if len(node.users) > 1 or not isinstance(norm, nn.BatchNorm2d):
                norm = None
            self.names[node] = self._convolution(part, norm, inputs)
            if norm is not None:
                self.names[after] = self.names[node]
                skipped.add(after)
        elif isinstance(part, nn.BatchNorm2d):
            factor, offset = (each[:, None, None] for each in _affine(part))
            self.names[node] = self._add("Add", [self._add("Mul", inputs, factor)], offset)
        elif isinstance(part, nn.PReLU):
            self.names[node] = self._add("PRelu", inputs, _array(part.weight)[:, None, None])
        elif isinstance(part, nn.ReLU):
            self.names[node] = self._add("Relu", inputs)
        elif isinstance(part, (nn.AvgPool2d, nn.MaxPool2d)) and not part.ceil_mode:
            self.names[node] = self._pooling(part, inputs)
        elif isinstance(part, _SKIPPED):
            self.names[node] = self.names[inputs[0]]
        else:
            raise ValueError(f"`model` holds {part}, which cannot be exported")

    def _convolution(self, part: Any, norm: Any, inputs: list[Any]) -> str:
        """Write a convolution with the batch norm that follows it."""
        transposed = isinstance(part, nn.ConvTranspose2d)
        if part.padding_mode != "zeros" or isinstance(part.padding, str):
            raise ValueError(f"`model` holds {part}, which cannot be exported")
        if transposed and (part.groups != 1 or any(part.output_padding)):
            raise ValueError(f"`model` holds {part}, which cannot be exported")
        weight = _array(part.weight)
        bias = None if part.bias is None else _array(part.bias)
        if norm is not None:
            factor, offset = _affine(norm)
            weight = weight * (factor[:, None, None] if transposed else factor[:, None, None, None])
            bias = offset if bias is None else bias * factor + offset
        arrays = (weight,) if bias is None else (weight, bias)
        return self._add(
            "ConvTranspose" if transposed else "Conv", inputs, *arrays,
            kernel_shape=list(part.kernel_size), strides=list(part.stride),
            pads=list(part.padding) * 2, dilations=list(part.dilation), group=part.groups,
        )  # fmt: skip

    def _pooling(self, part: Any, inputs: list[Any]) -> str:
        fields: dict[str, Any] = {
            "kernel_shape": _pair(part.kernel_size),
            "strides": _pair(part.stride),
            "pads": _pair(part.padding) * 2,
        }
        if isinstance(part, nn.AvgPool2d):
            return self._add(
                "AveragePool", inputs, count_include_pad=int(part.count_include_pad), **fields
            )
        if _pair(part.dilation) != [1, 1]:
            raise ValueError(f"`model` holds {part}, which cannot be exported")
        return self._add("MaxPool", inputs, **fields)


def _described(name: str, n_channels: int) -> Any:
    sides = ["n", n_channels, "rows", "columns"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)


def _affine(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor and the offset of each channel that a trained batch norm amounts to."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("`model` holds a batch norm without running statistics")
    mean, variance = _array(norm.running_mean), _array(norm.running_var)
    factor = 1 / np.sqrt(variance + norm.eps)
    if norm.affine:
        return factor * _array(norm.weight), _array(norm.bias) - mean * factor * _array(norm.weight)
    return factor, -mean * factor


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
