"""Reading an ONNX file, as far as it takes to trust its shape.

An ONNX file is a protocol buffer: numbered fields, each with its length, one inside
the other.  The libraries that run networks read it quickly and believe what it
says; a file that was cut or changed can end the process.  So it is read here first:
every field lies within its message, every weight has as many bytes as its sides ask
for, every node reads what is there, and convolutions have the sides that a
convolution can have.  Of the network this tells what a caller must know: what goes
in, what comes out, and whether that are scores, probabilities or labels.

Weights may lie in files beside the model.  These are read only from the model's own
folder, and taken into the bytes: what is handed on needs no other file.
"""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

MAX_BYTES = 2**29
_MOST_FIELDS = 2**18  # each takes memory of its own, however short it is
_MOST_VALUES = 2**25  # that go in at once: 11 million pixels in color
_DEEPEST = 24  # messages within messages; a graph in a node in a graph takes 3 levels
_WIDEST = 2**14  # of a kernel, a stride, a dilation, a padding
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # how a field is written

# What is read of each message: the name and the kind of its fields, by the numbers that
# onnx.proto3 gives them.  A kind is a number, text, bytes, or another message; "n <f"
# counts numbers of that form.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "model": {7: ("graph", "graph"), 8: ("opsets", "opset"), 25: ("functions", "function")},
    "function": {4: ("inputs", "text"), 5: ("outputs", "text"), 7: ("nodes", "node")},
    "opset": {1: ("domain", "text"), 2: ("version", "int")},
    "graph": {
        1: ("nodes", "node"),
        5: ("weights", "tensor"),
        11: ("inputs", "value"),
        12: ("outputs", "value"),
        15: ("sparse", "bytes"),
    },
    "node": {
        1: ("inputs", "text"),
        2: ("outputs", "text"),
        4: ("kind", "text"),
        5: ("fields", "attribute"),
        7: ("domain", "text"),
    },
    "attribute": {
        1: ("name", "text"),
        2: ("float", "<f"),
        3: ("int", "int"),
        4: ("text", "bytes"),
        5: ("tensor", "tensor"),
        6: ("graph", "graph"),
        8: ("ints", "int"),
        10: ("tensors", "tensor"),
        11: ("graphs", "graph"),
        22: ("sparse", "bytes"),
        23: ("sparse", "bytes"),
    },
    "tensor": {
        1: ("sides", "int"),
        2: ("dtype", "int"),
        4: ("numbers", "n <f"),
        5: ("numbers", "n int"),
        6: ("texts", "bytes"),
        7: ("numbers", "n int"),
        8: ("name", "text"),
        9: ("raw", "bytes"),
        10: ("numbers", "n <d"),
        11: ("numbers", "n int"),
        13: ("external", "entry"),
        14: ("location", "int"),
    },
    "entry": {1: ("key", "text"), 2: ("value", "text")},
    "value": {1: ("name", "text"), 2: ("type", "type")},
    "type": {1: ("tensor", "tensor_type")},
    "tensor_type": {1: ("dtype", "int"), 2: ("shape", "shape")},
    "shape": {1: ("sides", "side")},
    "side": {1: ("length", "int"), 2: ("word", "text")},
}
_FORMS = {"int": _VARINT, "<f": _FIXED32, "<d": _FIXED64}

# Bits of an item, and types that a caller tells apart, by the numbers in onnx.proto3.
_ITEM_BITS = {
    **{1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64},
    **{14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4},
}
_INT64, _TEXT = 7, 8
INTEGERS = (2, 3, 4, 5, 6, 7, 12, 13)
# What an image can be given as: bytes, or floats of 32, 16 or 64 bits.
IMAGES = {1: "float32", 2: "uint8", 10: "float16", 11: "float64"}

# All that these can say of themselves: OpenCV passes over a name that it does not know.
_CONVOLUTION = {"auto_pad", "dilations", "kernel_shape", "pads", "strides"}
_SAID = {
    "Conv": _CONVOLUTION | {"group"},
    "ConvTranspose": _CONVOLUTION | {"group", "output_padding", "output_shape"},
    "MaxPool": _CONVOLUTION | {"ceil_mode", "storage_order"},
    "AveragePool": _CONVOLUTION | {"ceil_mode", "count_include_pad"},
}

# What keeps scores, probabilities or labels what they are.
_CARRIES_ON = (
    *("Identity", "Cast", "Resize", "Upsample", "Transpose", "Reshape", "Squeeze", "Unsqueeze"),
    *("Flatten", "Slice", "Dropout"),
)
_MEANINGS = {"Softmax": "probabilities", "Sigmoid": "probabilities", "ArgMax": "labels"}

_OTHERS = {
    b"PK\x03\x04": "is a zip archive, as PyTorch writes them",
    b"\x80\x02": "is a pickle",
    b"\x80\x03": "is a pickle",
    b"\x80\x04": "is a pickle",
    b"\x80\x05": "is a pickle",
    b"\x89HDF": "is HDF5, as Keras writes it",
    b"\x93NUMPY": "is a NumPy array",
}

_MODE_NEAREST = b"\x0a\x04mode\x22\x07nearest\xa0\x01\x03"  # an attribute, in 18 bytes
_ANY_FOUR_SIDES = b"\x12\x0e\x0a\x0c\x08\x01\x12\x08" + b"\x0a\x00" * 4  # a type: float32

Message = dict[str, list[Any]]


class DamagedError(Exception):
    """A file that is not what it should be; the reason in a few words."""


@dataclass(frozen=True)
class Value:
    """What goes in or comes out: its type by number, its sides, None where they are free."""

    name: str
    dtype: int
    sides: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Model:
    """A model that can be handed on: complete bytes, its input and its first output."""

    data: bytes
    image: Value
    result: Value
    meaning: str  # of the result: "scores", "probabilities" or "labels"


class Node(NamedTuple):
    """One step: its kind, the names of what it reads and gives, and what is said of it."""

    kind: str
    reads: tuple[str, ...]
    gives: tuple[str, ...]
    told: dict[str, Any]


def parse(data: bytes, folder: Path) -> Model:
    """Return what a file holds; DamagedError if that is not an ONNX model, whole and sound.

    `folder` is the only one from which weights outside the file are read.
    """
    for start, what in _OTHERS.items():
        if data.startswith(start):
            raise DamagedError(f"{what}, and may hold a program; only ONNX is read")
    try:
        reader = _Reader(memoryview(data))
        model = reader.message("model")
        graph = _only(model, "graph", "the file")
        known = _check_graph(graph, frozenset(), reader)
        for function in model["functions"]:
            within = _check_nodes(function["nodes"], set(function["inputs"]), {}, reader)
            _check_given(function["outputs"], within)
    except (struct.error, UnicodeDecodeError) as error:
        raise DamagedError(f"damaged: {error}") from None
    if not any(_first(each, "domain", "") in ("", "ai.onnx") for each in model["opsets"]):
        raise DamagedError("damaged, or no ONNX model: it does not tell its version")
    if reader.external:
        data = b"".join(_with_weights(memoryview(data), "model", folder))
        return parse(data, folder)
    images = [each for each in graph["inputs"] if _first(each, "name", "") not in known]
    if len(images) != 1:
        raise DamagedError(f"takes {len(images)} inputs, and not one image")
    image, result = _described(images[0]), _described(graph["outputs"][0])
    if math.prod(side or 1 for side in image.sides or ()) > _MOST_VALUES:
        raise DamagedError(f"takes {image.sides}, more than {_MOST_VALUES} values at once")
    return Model(data, image, result, _meaning(graph, result))


# Protocol buffers


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    """Return a number written 7 bits to a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(view):
            raise DamagedError("damaged or cut short: it ends within a number")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise DamagedError("damaged: a number of too many bytes")


def _fields(view: memoryview) -> Iterator[tuple[int, int, Any, memoryview]]:
    """Yield number, form and value of each field of a message, and the field as it stands."""
    place = 0
    while place < len(view):
        start = place
        key, place = _varint(view, place)
        number, form = key >> 3, key & 7
        value: Any
        if form == _VARINT:
            value, place = _varint(view, place)
        elif form in (_BYTES, _FIXED32, _FIXED64):
            n = 4 if form == _FIXED32 else 8
            if form == _BYTES:
                n, place = _varint(view, place)
            value, place = view[place : place + n], place + n
        else:
            raise DamagedError(f"damaged, or no ONNX model: a field of form {form}")
        if place > len(view) or not 1 <= number < 2**29:
            raise DamagedError("damaged, cut short, or no ONNX model: a field ends outside")
        yield number, form, value, view[start:place]


class _Reader:
    """Reads messages, and counts what it has read."""

    def __init__(self, view: memoryview) -> None:
        self.view, self.read, self.external = view, 0, False

    def message(self, kind: str, view: memoryview | None = None, depth: int = 0) -> Message:
        """Return the known fields of a message by name, each as a list."""
        if depth > _DEEPEST:
            raise DamagedError("damaged: messages lie too deep within each other")
        found: Message = defaultdict(list)
        for number, form, value, _ in _fields(self.view if view is None else view):
            self.read += 1
            if self.read > _MOST_FIELDS:
                raise DamagedError(f"has more than {_MOST_FIELDS} fields")
            if number not in _MESSAGES[kind]:
                continue
            name, what = _MESSAGES[kind][number]
            if what in _MESSAGES:
                if form != _BYTES:
                    raise DamagedError(f"damaged: {name} of form {form}")
                found[name].append(self.message(what, value, depth + 1))
            elif what in ("text", "bytes"):
                if form != _BYTES:
                    raise DamagedError(f"damaged: {name} of form {form}")
                found[name].append(str(value, "utf-8") if what == "text" else value)
            else:
                found[name].extend(self._numbers(what.removeprefix("n "), form, value, name, what))
        return found

    def _numbers(self, kind: str, form: int, value: Any, name: str, what: str) -> list[Any]:
        """Return numbers, one or several packed; of those that are only counted, how many."""
        counted = what.startswith("n ")
        if form == _FORMS[kind]:
            if counted:
                return [1]
            if kind == "int":
                return [_signed(value)]
            return list(struct.unpack(kind, value))
        if form != _BYTES:
            raise DamagedError(f"damaged: {name} of form {form}")
        if counted and kind == "int":
            return [sum(byte < 0x80 for byte in value)]
        if counted:
            return [len(value) // struct.calcsize(kind)]
        if kind != "int":
            raise DamagedError(f"damaged: several {name}")
        found, place = [], 0
        while place < len(value):
            number, place = _varint(value, place)
            found.append(_signed(number))
        self.read += len(found)
        return found


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _first(message: Message, name: str, default: Any) -> Any:
    return message[name][-1] if message[name] else default  # of several, the last one counts


def _only(message: Message, name: str, where: str) -> Any:
    if len(message[name]) != 1:
        raise DamagedError(f"damaged, cut short, or no ONNX model: no {name} in {where}")
    return message[name][0]


# What must hold


def _check_graph(graph: Message, outside: frozenset[str], reader: _Reader) -> set[str]:
    """Refuse a graph whose parts do not fit; return the names of its weights."""
    weights: dict[str, tuple[int, ...]] = {}
    for tensor in graph["weights"]:
        name = _first(tensor, "name", "")
        if not name or name in weights:
            raise DamagedError(f"damaged: two weights, or none, of the name {name!r}")
        weights[name] = _check_tensor(tensor, reader)
    _refuse_sparse(graph)
    known = set(outside) | set(weights) | {_first(each, "name", "") for each in graph["inputs"]}
    known = _check_nodes(graph["nodes"], known, weights, reader)
    _check_given([_first(each, "name", "") for each in graph["outputs"]], known)
    return set(weights)


def _check_nodes(
    nodes: list[Message], known: set[str], weights: dict[str, tuple[int, ...]], reader: _Reader
) -> set[str]:
    """Refuse nodes that read what is not there; return the names of all that is, in the end."""
    known = set(known)
    for node in nodes:
        kind = _first(node, "kind", "")
        missing = [name for name in node["inputs"] if name and name not in known]
        if missing or not kind:
            raise DamagedError(f"damaged: node {kind!r} reads {missing[:1]}, which is not there")
        _check_fields(node, kind, weights)
        for each in node["fields"]:
            _refuse_sparse(each)
            for inner in (*each["graph"], *each["graphs"]):
                _check_graph(inner, frozenset(known), reader)
            for tensor in (*each["tensor"], *each["tensors"]):
                _check_tensor(tensor, reader)
        written = [name for name in node["outputs"] if name]
        if known.intersection(written) or len(set(written)) < len(written) or not written:
            raise DamagedError(f"damaged: node {kind!r} writes {written}, which is there")
        known.update(written)
    return known


def _check_given(names: list[str], known: set[str]) -> None:
    if not names or not known.issuperset(names):
        raise DamagedError(f"damaged: gives {names}, which nothing makes")


def _refuse_sparse(message: Message) -> None:
    if message["sparse"]:
        raise DamagedError("holds sparse weights, which are not supported")


def _check_tensor(tensor: Message, reader: _Reader) -> tuple[int, ...]:
    """Refuse a weight that has not as many numbers as its sides ask for; return these."""
    sides = tuple(tensor["sides"])
    name, dtype = _first(tensor, "name", ""), _first(tensor, "dtype", 0)
    if min(sides, default=0) < 0 or (dtype not in _ITEM_BITS and dtype != _TEXT):
        raise DamagedError(f"damaged: weight {name!r} of sides {sides} and type {dtype}")
    n = math.prod(sides)
    if _is_elsewhere(tensor):
        reader.external = True
        return sides
    if dtype == _TEXT:
        held, wanted = len(tensor["texts"]), n
    elif tensor["raw"]:
        held, wanted = len(tensor["raw"][-1]), -(-n * _ITEM_BITS[dtype] // 8)
    else:
        held, wanted = sum(tensor["numbers"]), n * (2 if dtype in (14, 15) else 1)
        wanted = -(-n // 2) if _ITEM_BITS[dtype] == 4 else wanted
    if held != wanted:
        raise DamagedError(
            f"damaged or cut short: weight {name!r} of sides {sides} holds {held} instead of "
            f"{wanted}"
        )
    return sides


def _check_fields(node: Message, kind: str, weights: dict[str, tuple[int, ...]]) -> None:
    """Refuse sides that no convolution or pooling has."""
    fields = {_first(each, "name", ""): each for each in node["fields"]}
    if len(fields) < len(node["fields"]):
        raise DamagedError(f"damaged: node {kind!r} says something twice")

    unknown = fields.keys() - _SAID.get(kind, fields.keys())
    if unknown and _first(node, "domain", "") in ("", "ai.onnx"):
        raise DamagedError(f"damaged: node {kind!r} has {sorted(unknown)[0]!r}, which is unknown")

    def ints(name: str, low: int) -> list[int]:
        found = fields[name]["ints"] if name in fields else []
        if any(not low <= value <= _WIDEST for value in found):
            raise DamagedError(f"damaged: node {kind!r} has {name} {found}")
        return found

    for name in ("kernel_shape", "strides", "dilations"):
        ints(name, 1)
    ints("output_padding", 0)
    if kind in ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"):
        ints("pads", 0)
    group = _first(fields["group"], "int", 1) if "group" in fields else 1
    if not 1 <= group <= _WIDEST:
        raise DamagedError(f"damaged: node {kind!r} has group {group}")
    if kind not in ("Conv", "ConvTranspose"):
        return
    sides = weights.get(node["inputs"][1]) if len(node["inputs"]) > 1 else None
    if sides is None:
        return
    kernel = ints("kernel_shape", 1) or list(sides[2:])
    rank = len(sides) - 2
    lengths = [len(ints(name, 1)) for name in ("strides", "dilations")] + [len(kernel)]
    fits = list(sides[2:]) == kernel and all(n in (0, rank) for n in lengths)
    if rank < 1 or not fits or 0 in sides or sides[0] % group:
        raise DamagedError(f"damaged: node {kind!r} has a kernel {kernel}, its weights {sides}")


# What a caller must know


def _described(value: Message) -> Value:
    kind = _first(_first(value, "type", defaultdict(list)), "tensor", None)
    if kind is None:
        raise DamagedError(f"{_first(value, 'name', '')!r} is not an array")
    shape = _first(kind, "shape", None)
    sides = None
    if shape is not None:
        lengths = [_first(side, "length", 0) for side in shape["sides"]]
        sides = tuple(length if length > 0 else None for length in lengths)
    return Value(_first(value, "name", ""), _first(kind, "dtype", 0), sides)


def _meaning(graph: Message, result: Value) -> str:
    """Return what the result is: follow it back to the node that decides."""
    if result.dtype in INTEGERS:
        return "labels"
    makers = {name: node for node in graph["nodes"] for name in node["outputs"]}
    name = result.name
    while name in makers:
        node = makers[name]
        kind = _first(node, "kind", "")
        if kind not in _CARRIES_ON or not node["inputs"]:
            return _MEANINGS.get(kind, "scores")
        name = node["inputs"][0]
    return "scores"


def nodes(model: Model) -> list[Node]:
    """Return what a model is made of, in the order of the file, which is that they run in."""
    graph = _Reader(memoryview(model.data)).message("model")["graph"][0]
    return [
        Node(
            _first(node, "kind", ""),
            tuple(node["inputs"]),
            tuple(node["outputs"]),
            {_first(each, "name", ""): _value(each) for each in node["fields"]},
        )
        for node in graph["nodes"]
    ]


def short_integers(model: Model) -> dict[str, list[int]]:
    """Return the few numbers that are told as arrays, as the axes of a sum are, by their names."""
    graph = _Reader(memoryview(model.data)).message("model")["graph"][0]
    tensors = [(_first(tensor, "name", ""), tensor) for tensor in graph["weights"]]
    for node in graph["nodes"]:
        if _first(node, "kind", "") == "Constant":
            held = [tensor for each in node["fields"] for tensor in each["tensor"]]
            tensors += [(node["outputs"][0], tensor) for tensor in held]
    found = {}
    for name, tensor in tensors:
        raw = tensor["raw"][-1] if tensor["raw"] else b""
        if _first(tensor, "dtype", 0) == _INT64 and 0 < len(raw) <= 64:
            found[name] = list(struct.unpack(f"<{len(raw) // 8}q", raw))
    return found


def _value(field: Message) -> Any:
    """Return the value of a node's field: a number, several, or a word; None for others."""
    if field["text"]:
        return bytes(field["text"][-1]).decode(errors="replace")
    return field["ints"] or _first(field, "int", _first(field, "float", None))


def giving(model: Model, name: str) -> bytes:
    """Return a model that gives what one of its nodes gives, of four sides, and nothing else."""
    return b"".join(_with_result(memoryview(model.data), "model", name))


def by_nearest(model: Model, names: set[str]) -> Model:
    """Return a model that resizes by the nearest pixel where it gives one of these names."""
    return replace(model, data=b"".join(_with_nearest(memoryview(model.data), "model", names)))


def _with_nearest(view: memoryview, kind: str, names: set[str]) -> Iterator[bytes | memoryview]:
    node = _Reader(view).message("node") if kind == "node" else None
    changed = node is not None and bool(names.intersection(node["outputs"]))
    for number, _, value, field in _fields(view):
        what = _MESSAGES[kind].get(number, ("", ""))[1]
        if what in ("graph", "node") and kind != "attribute":
            inner = b"".join(_with_nearest(value, what, names))
            yield _written(number << 3 | _BYTES) + _written(len(inner)) + inner
        elif changed and what == "attribute" and _Reader(value).message(what)["name"] == ["mode"]:
            yield b"\x2a\x12" + _MODE_NEAREST
        else:
            yield field


def _with_result(view: memoryview, kind: str, name: str) -> Iterator[bytes | memoryview]:
    for number, _, value, field in _fields(view):
        what = _MESSAGES[kind].get(number, ("", ""))[0]
        if what == "graph":
            inner = b"".join(_with_result(value, "graph", name))
            yield _written(number << 3 | _BYTES) + _written(len(inner)) + inner
        elif what != "outputs":
            yield field
    if kind == "graph":
        text = name.encode()
        described = b"\x0a" + _written(len(text)) + text + _ANY_FOUR_SIDES
        yield _written(12 << 3 | _BYTES) + _written(len(described)) + described


# Weights in other files


def _with_weights(view: memoryview, kind: str, folder: Path) -> Iterator[bytes | memoryview]:
    """Yield a message piece by piece, with the weights that it has elsewhere."""
    found = _Reader(view).message("tensor") if kind == "tensor" else None
    elsewhere = found is not None and _is_elsewhere(found)
    for number, form, value, field in _fields(view):
        what = _MESSAGES.get(kind, {}).get(number, ("", ""))[1]
        if form == _BYTES and what in ("function", "graph", "node", "attribute", "tensor"):
            inner = b"".join(_with_weights(value, what, folder))
            yield _written(number << 3 | _BYTES) + _written(len(inner)) + inner
        elif not (elsewhere and number in (13, 14)):
            yield field
    if found is not None and elsewhere:
        raw = _external(found, folder)
        yield _written(9 << 3 | _BYTES) + _written(len(raw)) + raw


def _is_elsewhere(tensor: Message) -> bool:
    return _first(tensor, "location", 0) == 1 or bool(tensor["external"])


def _external(tensor: Message, folder: Path) -> bytes:
    """Return the bytes of a weight that lies in a file beside the model."""
    told = {_first(each, "key", ""): _first(each, "value", "") for each in tensor["external"]}
    location = told.get("location", "")
    folder = folder.resolve()
    source = folder if "\0" in location else (folder / location).resolve()
    if source == folder or not source.is_relative_to(folder):
        raise DamagedError(f"has weights outside its folder, in {location!r}: refused")
    bits = _ITEM_BITS.get(_first(tensor, "dtype", 0), 0)
    n = -(-math.prod(tensor["sides"]) * bits // 8)
    try:
        offset = int(told.get("offset", "0"))
        length = int(told.get("length", str(n)))
    except ValueError:
        raise DamagedError(f"damaged: a place in {location!r} is no number") from None
    if offset < 0 or length != n or n > MAX_BYTES:
        raise DamagedError(f"damaged: {length} bytes from {offset} of {location!r} make no weight")
    if not source.is_file():
        raise DamagedError(f"has weights in {location!r}, which is not beside it")
    with source.open("rb") as stream:
        stream.seek(offset)
        raw = stream.read(n)
    if len(raw) < n:
        raise DamagedError(f"damaged or cut short: {location!r} ends within a weight")
    return raw


def _written(value: int) -> bytes:
    """Return a number as a varint."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
