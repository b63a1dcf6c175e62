"""The plain version of segkit_ext/sort.pyx: pixels in order of value, and their ranks."""


def ranked(values):
    """Return the order of a list (equal values as they stand) and the rank of each value."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    distinct = sorted(set(values))
    return order, [distinct.index(value) for value in values]
