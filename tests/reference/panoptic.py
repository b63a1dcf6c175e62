"""Panoptic codes by definition, one pixel after the other, in integers without bounds."""


def encode(classes, instances, divisor):
    """Return the ids as a flat list."""
    pairs = zip(classes.ravel().tolist(), instances.ravel().tolist(), strict=True)
    return [label * divisor + instance for label, instance in pairs]


def decode(ids, divisor):
    """Return classes and instances as flat lists."""
    flat = ids.ravel().tolist()
    return [x // divisor for x in flat], [x % divisor for x in flat]


def colors(ids):
    """Return (red, green, blue) for each id."""
    return [(x % 256, x // 256 % 256, x // 65536) for x in ids.ravel().tolist()]
