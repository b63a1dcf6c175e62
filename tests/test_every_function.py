"""Every public function, swept over everything it must accept and must refuse.

CALLS holds one or more minimal valid calls for each public function.  What is
swept is derived from the names of their arguments: an `image` takes every real
type, `labels` every integer type, every array every memory layout, and each
argument has its own kinds of bad values.  A public function that is missing
here fails the first test.
"""

import inspect
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from threading import Barrier

import numpy as np
import pytest

import segkit
from tests.strategies import INTEGER_DTYPES, REAL_DTYPES

IMAGES = ("image", "relief", "strength")
LABELS = ("labels", "first", "second", "markers", "parts", "seeds", "truth", "test")
LABELS += ("classes", "instances", "ids")
FILES = ("read_image", "read_labels", "write_image", "write_labels")  # see test_files
OUTLINES = ("metrics.match_boundaries",)  # maps of bool: see test_boundary_scores
SUMMARIES = tuple(  # of numbers, not of images: see test_optimal_scales
    f"metrics.{name}" for name in segkit.metrics.__all__ if name.startswith("optimal_")
)
COLORS = ("panoptic.from_coco",)  # see test_panoptic
GRAPHS = (segkit.MergeTree, segkit.RegionGraph)  # results in flat arrays
REPORTS = ("regions", "mean_image", "region_graph", "pixel_features")  # give values, not labels
PIPELINES = ("segment", "compare")  # tests/test_comparison.py sweeps these
TREES = ("merge_tree",)  # from a graph: see test_merging
SHAPES = ("hilbert_scan",)  # from a shape: see test_scans
FLAT = ("boundary_strength",)  # two dimensions only: see test_boundary_strength
ELSEWHERE = (*SHAPES, *FLAT, *TREES, *FILES, *OUTLINES, *COLORS, *SUMMARIES, *PIPELINES)


def picture(shape, dtype=np.uint8):
    """Return an image of four grey levels with flat zones, ties and single pixels."""
    grid = np.indices(shape).astype(np.int64)
    weight = np.arange(1, len(shape) + 1).reshape((-1,) + (1,) * len(shape))
    return (((grid * weight).sum(axis=0) // 2 * 7 + grid[-1] % 3) % 4).astype(dtype)


def corners(shape):
    """Return markers on the first and the last pixel."""
    markers = np.zeros(shape, dtype=np.int32)
    if markers.size:
        markers.flat[-1] = 5
        markers.flat[0] = 2
    return markers


def most(shape):
    """Return a mask that leaves out one pixel inside."""
    mask = np.ones(shape, dtype=bool)
    if mask.size > 2:
        mask.flat[mask.size // 2] = False
    return mask


def votes(shape):
    """Return votes of 0 to 3 for each of three classes."""
    image = picture(shape, np.int64)
    return np.stack([image, 3 - image, (image * 2) % 3], axis=-1)


# name and variant -> arguments for an image; arrays in them are swept
CALLS = {
    "connected_components": lambda a: {"image": a},
    "connected_components, masked": lambda a: {
        "image": a, "mask": most(a.shape), "background": None, "connectivity": a.ndim,
    },
    "connected_components, tolerance": lambda a: {"image": a, "tolerance": 1},
    "relabel": lambda a: {"labels": a},
    "remove_small": lambda a: {"labels": a, "min_size": 2},
    "remove_small, nearest": lambda a: {"labels": a, "min_size": 2, "fill": "nearest"},
    "boundaries": lambda a: {"labels": a},
    "boundaries, thick": lambda a: {"labels": a, "mode": "thick", "connectivity": a.ndim},
    "boundaries, outer": lambda a: {"labels": a, "mode": "outer"},
    "boundaries, subpixel": lambda a: {"labels": a, "mode": "subpixel"},
    "masks": lambda a: {"labels": a},
    "join": lambda a: {"first": a, "second": a[..., ::-1]},
    "regions": lambda a: {"labels": a},
    "regions, image": lambda a: {
        "labels": picture(a.shape), "image": a, "spacing": (0.5,) * a.ndim,
    },
    "mean_image": lambda a: {"labels": picture(a.shape), "image": a},
    "region_graph": lambda a: {"labels": a},
    "region_graph, image": lambda a: {
        "labels": picture(a.shape), "image": a, "strength": picture(a.shape),
        "connectivity": a.ndim,
    },
    "merge_regions": lambda a: {"labels": a, "image": picture(a.shape), "threshold": 1},
    "merge_regions, image": lambda a: {
        "labels": picture(a.shape), "image": a, "n_regions": a.size, "min_size": 2,
        "criterion": "ward", "connectivity": a.ndim,
    },
    "merge_regions, color_strength": lambda a: {
        "labels": picture(a.shape), "image": picture(a.shape), "strength": a,
        "criterion": "color_strength", "threshold": 1,
    },
    "split_region": lambda a: {"labels": np.ones(a.shape, int), "label": 1, "parts": a},
    "region_growing": lambda a: {"image": a, "seeds": corners(a.shape), "tolerance": 1},
    "region_growing, no seeds": lambda a: {
        "image": a, "criterion": "neighbor", "tolerance": 0, "mask": most(a.shape),
    },
    "region_growing, unseeded region": lambda a: {"image": a, "tolerance": 1},
    "region_growing, seed": lambda a: {
        "image": a, "seeds": corners(a.shape), "criterion": "seed", "tolerance": 1,
        "connectivity": a.ndim,
    },
    "region_growing, confidence": lambda a: {
        "image": a, "seeds": corners(a.shape), "criterion": "confidence",
    },
    "felzenszwalb": lambda a: {"image": a, "scale": 1.5, "min_size": 2, "sigma": 0},
    "felzenszwalb, all neighbors": lambda a: {
        "image": a, "scale": 0.5, "min_size": 0, "sigma": 0, "connectivity": a.ndim,
    },
    "statistical_region_merging": lambda a: {"image": a, "complexity": 1e6},
    "statistical_region_merging, small": lambda a: {
        "image": a, "complexity": 1e7, "min_size": 3,
    },
    "find_seeds": lambda a: {"image": a},
    "find_seeds, random": lambda a: {
        "image": a, "n_seeds": 1, "method": "random", "mask": most(a.shape),
    },
    "quadtree": lambda a: {"image": a, "threshold": 1},
    "quadtree, masked": lambda a: {
        "image": a, "threshold": 0.6, "criterion": "std", "mask": most(a.shape), "min_size": 2,
    },
    "quadtree, callable": lambda a: {
        "image": a, "threshold": 1, "criterion": lambda pixels: np.ptp(pixels.astype(float)),
        "max_size": 4,
    },
    "split_and_merge": lambda a: {"image": a, "split_threshold": 1, "mask": most(a.shape)},
    "split_and_merge, mean": lambda a: {
        "image": a, "split_threshold": 0, "merge_threshold": 1, "merge_criterion": "mean",
    },
    "regularize": lambda a: {"proba": votes(a.shape), "beta": 0.5, "image": a},
    "regularize, graph_cut": lambda a: {
        "proba": votes(a.shape), "beta": 1, "solver": "graph_cut", "image": a,
        "mask": most(a.shape), "connectivity": a.ndim,
    },
    "regularize, mean_field": lambda a: {
        "proba": votes(a.shape), "beta": 1, "solver": "mean_field", "image": a, "sigma": 2,
    },
    "potts_energy": lambda a: {
        "labels": 1 + picture(a.shape) % 3, "proba": votes(a.shape), "beta": 2, "image": a,
    },
    "gradient": lambda a: {"image": a},
    "gradient, smooth": lambda a: {"image": a, "sigma": 1},
    "local_minima": lambda a: {"relief": a},
    "local_minima, depth": lambda a: {"relief": a, "depth": 2, "mask": most(a.shape)},
    "watershed": lambda a: {"relief": a, "markers": corners(a.shape)},
    "watershed_tree": lambda a: {"relief": a},
    "watershed_tree, volume": lambda a: {
        "relief": a, "attribute": "volume", "connectivity": a.ndim, "mask": most(a.shape),
    },
    "watershed, masked": lambda a: {"relief": a, "mask": most(a.shape), "depth": 1},
    "watershed, lines": lambda a: {
        "relief": a, "markers": corners(a.shape), "lines": "thin", "connectivity": a.ndim,
    },
    "watershed, compact": lambda a: {
        "relief": a, "markers": corners(a.shape), "compactness": 0.5, "max_level": 2,
    },
    "metrics.contingency": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.contingency, ignore": lambda a: {"truth": corners(a.shape), "test": a, "ignore": 2},
    "metrics.rand_index": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.adjusted_rand_index": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.adapted_rand_error": lambda a: {"truth": a, "test": corners(a.shape), "ignore": 0},
    "metrics.variation_of_information": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.normalized_mutual_information": lambda a: {"truth": corners(a.shape), "test": a},
    "metrics.segmentation_covering": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.region_overlaps": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.match_instances": lambda a: {"truth": a, "test": picture(a.shape) // 2, "iou": 0.1},
    "metrics.average_precision": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.panoptic_quality": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.undersegmentation_error": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.achievable_accuracy": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.explained_variation": lambda a: {"image": a, "test": picture(a.shape) // 2},
    "metrics.compactness": lambda a: {"test": a, "spacing": (2,) * a.ndim},
    "metrics.boundary_scores": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.boundary_counts": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.boundary_pixels": lambda a: {"labels": a},
    "metrics.confusion_matrix": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.confusion_matrix, n_classes": lambda a: {
        "truth": a, "test": picture(a.shape) // 2, "n_classes": 5,
    },
    "metrics.pixel_accuracy": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.class_accuracy": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.iou_per_class": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.mean_iou": lambda a: {"truth": picture(a.shape) // 2, "test": a},
    "metrics.boundary_f1": lambda a: {"truth": a, "test": picture(a.shape) // 2},
    "metrics.dice": lambda a: {"truth": a, "test": picture(a.shape) // 2, "label": 1},
    "metrics.jaccard": lambda a: {"truth": picture(a.shape) // 2, "test": a, "label": 1},
    "metrics.hausdorff": lambda a: {"truth": a, "test": picture(a.shape) // 2, "label": 1},
    "metrics.hausdorff, surfaces": lambda a: {
        "truth": picture(a.shape) // 2, "test": a, "label": 1, "between": "surfaces",
        "percentile": 95, "spacing": (0.5,) * a.ndim,
    },
    "pixel_features": lambda a: {"image": a},
    "pixel_features, several": lambda a: {
        "image": a, "names": ["smooth", "position"], "sigmas": [1, 0.5],
    },
    "pixel_features, differences": lambda a: {
        "image": a, "names": ["gradient", "hessian", "structure", "local_std"], "sigmas": [1],
    },
    "panoptic.encode": lambda a: {"classes": a, "instances": picture(a.shape) // 2, "divisor": 9},
    "panoptic.decode": lambda a: {"ids": a, "divisor": 2},
    "panoptic.to_coco": lambda a: {"ids": a},
}  # fmt: skip
PER_CLASS = ("metrics.confusion_matrix", "metrics.iou_per_class")  # arrays, but not of pixels
NAMES = (
    *segkit.__all__,
    *(f"metrics.{name}" for name in segkit.metrics.__all__),
    *(f"panoptic.{name}" for name in segkit.panoptic.__all__),
)
PUBLIC = [name for name in NAMES if inspect.isfunction(attrgetter(name)(segkit))]
SHAPES_OF_ONE = [(1,), (6,), (1, 5), (5, 1), (1, 1, 4), (3, 1, 2), (1, 1, 1, 1), (2, 1, 3, 2)]


def function_of(name):
    return attrgetter(name.split(",")[0])(segkit)


def run(name, arguments):
    """Call a function and return all that it gives as a list of arrays."""
    return arrays_of(function_of(name)(**arguments))


def arrays_of(result):
    """Return all that a result holds as a list of arrays."""
    if isinstance(result, (np.ndarray, float)):
        return [np.asarray(result)]
    if isinstance(result, GRAPHS):  # types of sums follow the type of the image
        values = [value for value in vars(result).values() if isinstance(value, np.ndarray)]
        return [value.astype(float) for value in values]
    if isinstance(result, tuple):
        return [
            array
            for part in result
            for array in (arrays_of(part) if isinstance(part, GRAPHS) else [np.asarray(part)])
        ]
    if isinstance(result, segkit.Quadtree):
        return [result.labels(), result.depth, result.mean - result.mean.min(initial=0)]
    if isinstance(result, dict):
        # The least and the largest value have the type of the image: exact in 64 bits.
        wide = ("min", "max")
        return [np.asarray(v, float if key.startswith(wide) else None) for key, v in result.items()]
    return [np.asarray(part) for item in result for part in item]


def assert_same(got, wanted):
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype.kind == other.dtype.kind
        if one.dtype.kind == "f":  # sums may round otherwise in another type
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(one, other)


def cast(name, arguments, dtype):
    """Return the arguments with those that the type applies to in it."""
    kinds = LABELS if np.dtype(dtype).kind == "i" else ()
    swept = swept_argument(name)
    return {
        key: value.astype(dtype)
        if isinstance(value, np.ndarray) and (key == swept or key in kinds)
        else value
        for key, value in arguments.items()
    }


def swept_argument(name):
    """Return the argument that gets the image of CALLS."""
    probe = np.full((3, 3), 3, dtype=np.uint8)
    for key, value in CALLS[name](probe).items():
        if value is probe:
            return key
    raise AssertionError(name)


def test_every_public_function_is_in_the_table():
    named = {name.split(",")[0] for name in CALLS} | {*ELSEWHERE}
    assert set(PUBLIC) <= named, "add a call to CALLS"
    assert named <= set(PUBLIC), "no such function"


# What must be accepted


def every_third(array):
    wide = np.zeros([3 * side for side in array.shape], dtype=array.dtype)
    view = wide[(slice(None, None, 3),) * array.ndim]
    view[...] = array
    return view


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def memory_map(array, folder):
    path = folder / f"{id(array)}.bin"
    array.tofile(path)
    return np.memmap(path, dtype=array.dtype, shape=array.shape, mode="r")


LAYOUTS = {
    "C": lambda a, _: a,
    "F": lambda a, _: np.asfortranarray(a),
    "transposed": lambda a, _: np.ascontiguousarray(a.T).T,
    "negative strides": lambda a, _: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "wide strides": lambda a, _: every_third(a),
    "read-only": lambda a, _: read_only(a),
    "memory map": memory_map,
    "swapped bytes": lambda a, _: a.astype(a.dtype.newbyteorder()),
    "list": lambda a, _: a.tolist(),
    "subclass": lambda a, _: a.view(np.recarray) if a.dtype.names else np.ma.array(a),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CALLS)
def test_layouts(name, layout, tmp_path):
    for shape, dtype in (((5, 4), np.uint16), ((3, 2, 4), np.int32)):
        arguments = CALLS[name](picture(shape, dtype))
        arranged = {
            key: LAYOUTS[layout](value, tmp_path) if isinstance(value, np.ndarray) else value
            for key, value in arguments.items()
        }
        before = {key: np.array(value) for key, value in arranged.items() if key in arguments}
        assert_same(run(name, arranged), run(name, arguments))
        for key, value in before.items():
            if isinstance(arguments[key], np.ndarray):
                np.testing.assert_array_equal(arranged[key], value, err_msg="input changed")


@pytest.mark.parametrize("dtype", REAL_DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_dtypes(name, dtype):
    swept = swept_argument(name)
    if swept in LABELS and dtype not in INTEGER_DTYPES:
        return  # refused: see below
    if name.startswith("statistical") and np.dtype(dtype).kind == "f":
        return  # floats are stretched to 256 levels, small integers are not
    image = picture((6, 5))
    if dtype == np.bool_:
        image //= 2
    wanted = run(name, CALLS[name](image))
    for order in "=S":
        arguments = cast(name, CALLS[name](image), np.dtype(dtype).newbyteorder(order))
        before = arguments[swept].copy()
        assert_same(run(name, arguments), wanted)
        np.testing.assert_array_equal(arguments[swept], before)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.float64])
@pytest.mark.parametrize("name", [n for n in CALLS if swept_argument(n) in IMAGES])
def test_values_below_zero(name, dtype):
    """Labels do not change when a constant is added to the image."""
    if "tolerance" in name or name.startswith(("connected", *REPORTS)):
        return  # these report the values, or take 0 for background
    arguments = CALLS[name](picture((6, 5), dtype))
    swept = swept_argument(name)
    lowered = dict(arguments)
    lowered[swept] = arguments[swept] - arguments[swept].dtype.type(100)
    if "max_level" in arguments:
        lowered["max_level"] = arguments["max_level"] - 100
    assert_same(run(name, lowered), run(name, arguments))


@pytest.mark.parametrize("shape", SHAPES_OF_ONE, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_sides_of_one(name, shape):
    arguments = CALLS[name](picture(shape))
    result = run(name, arguments)
    whole = function_of(name)(**arguments)
    if isinstance(whole, np.ndarray) and name.split(",")[0] not in PER_CLASS:
        wanted = shape
        if arguments.get("mode") == "subpixel":
            wanted = tuple(2 * side - 1 for side in shape)
        if name == "panoptic.to_coco":
            wanted = (*shape, 3)
        if name.startswith("pixel_features"):
            wanted = (*shape, result[0].shape[-1])
        assert result[0].shape == wanted
    if len(shape) > 1 and name.split(",")[0] not in (*REPORTS, "masks", "metrics.compactness"):
        flat = tuple(side for side in shape if side > 1) or (1,)
        squeezed = CALLS[name](picture(shape).reshape(flat))
        for key, value in arguments.items():  # the same arrays, without the sides of one
            if isinstance(value, np.ndarray):
                squeezed[key] = value.reshape(flat + value.shape[len(shape) :])
        without = run(name, squeezed)
        assert np.array_equal(result[0].ravel(), without[0].ravel())


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 2), (0, 0, 0, 0)], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_empty_arrays(name, shape):
    arguments = CALLS[name](np.zeros(shape, dtype=np.uint8))
    needed = "label" if name == "split_region" else "seeds"
    if needed in arguments:
        with pytest.raises(ValueError, match=f"`{needed}`"):
            run(name, arguments)
        return
    result = function_of(name)(**arguments)
    if isinstance(result, np.ndarray) and name.split(",")[0] not in PER_CLASS:
        if arguments.get("mode") == "subpixel":
            assert result.size == 0
        else:
            assert result.shape[: len(shape)] == shape
    elif name == "potts_energy":
        assert result == 0.0
    elif name.startswith(("metrics.", "panoptic.")):
        assert_nothing_is_perfect(result)
    elif isinstance(result, segkit.Quadtree):
        assert result.labels().shape == shape
    elif isinstance(result, dict):
        assert all(len(column) == 0 for column in result.values())
    elif isinstance(result, (*GRAPHS, segkit.WatershedTree)):
        assert all(array.size == 0 for array in arrays_of(result))
    else:
        assert list(result) == []


def assert_nothing_is_perfect(result):
    """Check a measure of no pixels: 0 or 1, or arrays of nothing or of zeros."""
    for part in result if isinstance(result, tuple) else (result,):
        if isinstance(part, np.ndarray):
            assert part.size == 0 or not part.any()
        else:
            assert part in (0, 1)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_answer_twice_and_from_eight_threads_at_once(name):
    arguments = CALLS[name](picture((60, 50)))
    wanted = run(name, arguments)
    assert_same(run(name, arguments), wanted)
    start = Barrier(8)

    def task(_):
        start.wait(10)
        return run(name, arguments)

    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(task, range(8)):
            for one, other in zip(result, wanted, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_labels_partition_the_mask(ndim):
    image = picture((4,) * ndim)
    mask = most(image.shape)
    for labels in (
        segkit.connected_components(image, mask=mask, background=None),
        segkit.region_growing(image, criterion="neighbor", tolerance=0, mask=mask),
        segkit.region_growing(image, tolerance=1, mask=mask),
        segkit.regularize(votes(image.shape), beta=0.1, mask=mask),
        segkit.watershed(image, mask=mask),
        segkit.quadtree(image, threshold=1, mask=mask).labels(),
    ):
        assert np.array_equal(labels > 0, mask)
        assert np.array_equal(np.unique(labels[mask]), np.arange(1, labels.max() + 1))


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
@pytest.mark.parametrize("mask", [False, 0])
def test_a_mask_that_is_all_false(ndim, mask):
    image = picture((3,) * ndim)
    outside = np.full(image.shape, mask)
    for labels in (
        segkit.connected_components(image, mask=outside, background=None),
        segkit.watershed(image, mask=outside),
        segkit.watershed(image, corners(image.shape), mask=outside),
        segkit.local_minima(image, mask=outside),
        segkit.region_growing(image, criterion="neighbor", tolerance=1, mask=outside),
        segkit.regularize(votes(image.shape), beta=1, image=image, mask=outside),
        segkit.regularize(votes(image.shape), beta=1, solver="graph_cut", mask=outside),
        segkit.quadtree(image, threshold=1, mask=outside).labels(),
        segkit.quadtree(image, threshold=1, mask=outside, criterion="std").labels(),
        segkit.quadtree(image, threshold=1, mask=outside, criterion="entropy").labels(),
        segkit.quadtree(image, threshold=1, mask=outside, criterion=np.ptp).labels(),
    ):
        assert labels.shape == image.shape
        assert not labels.any()


def test_no_markers_give_no_labels():
    assert not segkit.watershed(picture((5, 5)), np.zeros((5, 5), np.int32)).any()


def test_a_marker_outside_the_mask_is_dropped():
    markers = corners((4, 4))
    mask = np.ones((4, 4), bool)
    mask[0, 0] = False
    labels = segkit.watershed(picture((4, 4)), markers, mask=mask)
    assert np.array_equal(labels, np.where(mask, 5, 0))


BIG = {  # a call with small ids -> the same with ids far apart must agree but for the ids
    "relabel": lambda ids: {"labels": ids},
    "remove_small": lambda ids: {"labels": ids, "min_size": 3},
    "remove_small, nearest": lambda ids: {"labels": ids, "min_size": 3, "fill": "nearest"},
    "boundaries": lambda ids: {"labels": ids},
    "masks": lambda ids: {"labels": ids},
    "join": lambda ids: {"first": ids, "second": ids[::-1]},
    "regions": lambda ids: {"labels": ids},
    "region_graph": lambda ids: {"labels": ids, "image": picture(ids.shape)},
    "merge_regions": lambda ids: {"labels": ids, "image": picture(ids.shape), "threshold": 1},
    "mean_image": lambda ids: {"labels": ids, "image": picture(ids.shape)},
    "watershed": lambda ids: {"relief": picture(ids.shape), "markers": ids},
    "region_growing": lambda ids: {"image": picture(ids.shape), "seeds": ids},
    "connected_components": lambda ids: {"image": ids},
}


@pytest.mark.parametrize("large", [300, 2**31 + 5, 2**40, 2**63 - 1])
@pytest.mark.parametrize("name", BIG)
def test_ids_far_apart_cost_no_more_and_change_nothing(name, large):
    small = np.zeros((24, 24), dtype=np.int64)
    small[2:9, 3:9] = 1
    small[12:20, 5:20] = 2
    small[22, 22] = 2
    far = np.array([0, 7, large])[small]
    assert len(run(name, BIG[name](small))) >= 1  # and loads what is loaded on first use

    peaks, results = [], []
    for ids in (small.copy(), far):
        arguments = BIG[name](ids)
        tracemalloc.start()
        results.append(run(name, arguments))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= 2 * peaks[0] + 100_000
    for one, other in zip(*results, strict=True):
        if name.split(",")[0] in ("watershed", "region_growing"):
            assert np.array_equal(np.array([0, 7, large])[one], other)
        elif name != "regions" and one.ndim == 2:
            assert np.array_equal(one, other)
    if name == "regions":
        assert segkit.regions(far)["label"].tolist() == [7, large]
    if name == "masks":
        assert [label for label, _ in segkit.masks(far)] == [7, large]


@pytest.mark.parametrize("name", ["watershed", "region_growing"])
def test_markers_above_int64_are_refused(name):
    ids = np.zeros((4, 4), dtype=np.uint64)
    ids[0, 0] = 2**63
    argument = "markers" if name == "watershed" else "seeds"
    with pytest.raises(ValueError, match=f"`{argument}`"):
        run(name, BIG[name](ids))


def test_64_bit_values_are_compared_exactly():
    top = 2**63 - 4
    image = np.array([[top, top + 1, top + 3]], dtype=np.int64)
    assert segkit.connected_components(image, tolerance=1).tolist() == [[1, 1, 2]]
    grown = segkit.region_growing(image, [(0, 0)], criterion="seed", tolerance=2)
    assert grown.tolist() == [[1, 1, 0]]
    grown = segkit.region_growing(image, [(0, 0)], criterion="neighbor", tolerance=1)
    assert grown.tolist() == [[1, 1, 0]]
    assert segkit.local_minima(image).tolist() == [[1, 0, 0]]
    relief = np.array([[top, top + 1, top, top + 3, top + 2]], dtype=np.uint64)
    assert segkit.watershed(relief).max() == 3
    assert segkit.watershed(relief, depth=2).max() == 1


def test_differences_never_wrap():
    image = np.array([[250, 5]], dtype=np.uint8)
    for criterion in ("neighbor", "seed", "region"):
        options = {"criterion": criterion, "tolerance": 244}
        assert segkit.region_growing(image, [(0, 0)], **options).tolist() == [[1, 0]]
        options["tolerance"] = 245
        assert segkit.region_growing(image, [(0, 0)], **options).tolist() == [[1, 1]]
    assert segkit.connected_components(image, tolerance=11).tolist() == [[1, 2]]
    wide = np.array([[-(2**63), 2**63 - 1]], dtype=np.int64)
    assert segkit.connected_components(wide, tolerance=1).tolist() == [[1, 2]]
    grown = segkit.region_growing(wide, [(0, 0)], criterion="neighbor", tolerance=1)
    assert grown.tolist() == [[1, 0]]


def test_infinities_are_the_highest_and_the_lowest():
    relief = np.array([[-np.inf, 0, 1, np.inf, 2, -np.inf]], dtype=np.float32)
    labels = segkit.watershed(relief, np.array([[1, 0, 0, 0, 0, 2]]))
    assert labels[0, [0, 1, 2, 4, 5]].tolist() == [1, 1, 1, 2, 2]
    assert segkit.local_minima(relief).tolist() == [[1, 0, 0, 0, 0, 2]]
    image = np.array([[1.0, np.inf, 1.0]])
    for criterion in ("neighbor", "seed"):
        grown = segkit.region_growing(image, [(0, 0)], criterion=criterion, tolerance=5)
        assert grown.tolist() == [[1, 0, 0]]


def test_nan_stops_growth():
    image = np.array([[1.0, np.nan, 1.0]])
    for criterion in ("neighbor", "seed", "region"):
        grown = segkit.region_growing(image, [(0, 0)], criterion=criterion, tolerance=5)
        assert grown.tolist() == [[1, 0, 0]]


def test_nan_outside_the_mask_does_no_harm():
    relief = np.array([[0.0, np.nan, 1.0]])
    mask = np.array([[True, False, True]])
    assert segkit.watershed(relief, mask=mask).tolist() == [[1, 0, 2]]
    assert segkit.local_minima(relief, mask=mask).tolist() == [[1, 0, 2]]


# What must be refused: for each kind of argument, bad values and the error they get

NAN, INF = float("nan"), float("inf")
WRONG_TYPES = {
    "complex": np.zeros((3, 3), complex),
    "object": np.full((3, 3), None),
    "strings": np.full((3, 3), "a"),
    "dates": np.zeros((3, 3), "M8[D]"),
    "text": "image.png",
}
SCALARS = {"0-D": np.array(3), "5-D": np.zeros((1,) * 5, dtype=np.uint8)}
OTHER_SHAPES = {"one row more": np.zeros((4, 3), np.uint8), "one axis less": np.zeros(3, np.uint8)}
NOT_NUMBERS = {"text": "1", "bool": True, "list": [1.0], "complex": 1j}
BAD_ARGUMENTS = {
    IMAGES: {
        TypeError: {**WRONG_TYPES, "none": None},
        ValueError: {**SCALARS, "ragged": [[1], []]},
    },
    LABELS: {
        TypeError: {**WRONG_TYPES, "floats": np.ones((3, 3)), "float16": np.ones((3, 3), "f2")},
        ValueError: {**SCALARS, "below zero": np.full((3, 3), -1)},
    },
    ("mask",): {
        TypeError: {**WRONG_TYPES, "floats": np.ones((3, 3))},
        ValueError: {**OTHER_SHAPES, "other values": np.full((3, 3), 2), "0-D": np.array(True)},
    },
    (
        "tolerance", "depth", "compactness", "multiplier", "sigma", "max_gradient",
        "min_distance", "threshold", "scale", "complexity", "split_threshold", "merge_threshold",
        "beta", "tol",
    ): {
        TypeError: NOT_NUMBERS,
        ValueError: {"nan": NAN, "inf": INF, "negative": -1, "tiny": -1e-300, "huge": 10**400},
    },
    ("shape_weight", "compactness_weight", "strength_weight"): {
        TypeError: NOT_NUMBERS,
        ValueError: {"nan": NAN, "inf": INF, "negative": -1, "tiny": -1e-300, "huge": 10**400},
    },
    ("sigmas",): {
        TypeError: {"text": "1", "number": 1.0, "words": ["a"], "none": None},
        ValueError: {"none given": [], "zero": [0], "nan": [1, NAN], "huge": [10**400]},
    },
    ("names",): {
        TypeError: {"text": "lab", "none": None, "numbers": [1]},
        ValueError: {"none given": [], "unknown": ["intensity", "unknown"]},
    },
    ("channel_weights",): {
        TypeError: {"text": "a", "complex": [1j]},
        ValueError: {"negative": [-1], "two": [1, 1], "nan": [NAN], "0-D": 1.0},
    },
    ("proba",): {
        TypeError: {**WRONG_TYPES, "none": None},
        ValueError: {
            **SCALARS, "ragged": [[1], []], "1-D": [1, 2], "negative": np.full((3, 3, 2), -1),
            "nan": np.full((3, 3, 2), NAN), "inf": np.full((3, 3, 2), INF),
            "no class": np.ones((3, 3, 0)), "other shape": np.ones((3, 4, 2)),
        },
    },
    ("floor",): {
        TypeError: NOT_NUMBERS,
        ValueError: {"nan": NAN, "zero": 0, "negative": -1, "above": 1.5, "huge": 10**400},
    },
    ("max_level",): {TypeError: NOT_NUMBERS, ValueError: {"nan": NAN}},
    ("connectivity",): {
        TypeError: {**NOT_NUMBERS, "half": 1.5, "none": None},
        ValueError: {"zero": 0, "three": 3, "negative": -1, "nan": NAN, "huge": 10**400},
    },
    ("min_size", "max_size", "n_regions", "max_steps", "n_seeds", "iterations", "max_iter"): {
        TypeError: {**NOT_NUMBERS, "half": 2.5},
        ValueError: {"negative": -1, "nan": NAN, "inf": INF},
    },
    ("rng",): {TypeError: {"half": 0.5, "text": "a", "bool": True}, ValueError: {"negative": -1}},
    (
        "mode", "fill", "criterion", "split_criterion", "merge_criterion", "method", "lines",
        "attribute", "between", "solver",
    ): {
        TypeError: {"number": 3, "none": None, "list": ["thin"], "bool": True},
        ValueError: {"unknown": "unknown", "empty": "", "case": "NONE"},
    },
    ("channel_axis",): {
        TypeError: {"half": 0.5, "text": "last", "bool": True, "tuple": (0, 1)},
        ValueError: {"above": 2, "below": -3, "far": 10**20},
    },
    ("spacing",): {
        TypeError: {"text": "ab", "strings": ("1", "2"), "complex": (1j, 1)},
        ValueError: {
            "one": (1,), "three": (1, 1, 1), "zero": (1, 0), "negative": (-1, 1),
            "nan": (1, NAN), "inf": (INF, 1), "number": 1.0,
        },
    },
    ("background",): {TypeError: {"text": "black", "list": [0]}},
    ("ignore",): {
        TypeError: {"text": "0", "list": [0], "half": 0.5, "bool": False},
        ValueError: {"negative": -1, "nan": NAN, "inf": INF},
    },
    ("n_classes",): {
        TypeError: {**NOT_NUMBERS, "half": 2.5},
        ValueError: {"zero": 0, "negative": -1, "few": 2, "many": 4096, "nan": NAN},
    },
    ("label",): {
        TypeError: {**NOT_NUMBERS, "half": 2.5},
        ValueError: {"negative": -1, "nan": NAN, "inf": INF},
    },
    ("percentile",): {
        TypeError: NOT_NUMBERS, ValueError: {"nan": NAN, "inf": INF, "negative": -1, "above": 101},
    },
    ("matrix",): {
        TypeError: {"text": "matrix", "complex": np.zeros((2, 2), complex), "floats": np.eye(2)},
        ValueError: {"oblong": np.zeros((2, 3), int), "row 0": np.eye(2, dtype=int)},
    },
    ("divisor",): {
        TypeError: {**NOT_NUMBERS, "half": 2.5, "none": None},
        ValueError: {"zero": 0, "negative": -1, "nan": NAN, "inf": INF},
    },
    ("iou",): {TypeError: NOT_NUMBERS, ValueError: {"zero": 0, "above": 1.5}},
}  # fmt: skip


ALLOWED = {  # what is bad elsewhere
    ("felzenszwalb", "connectivity", "none"),
    ("regions", "image", "none"),
    ("regularize", "image", "none"),
    ("potts_energy", "image", "none"),
    ("region_graph", "image", "none"),
    ("region_graph", "strength", "none"),
    ("merge_regions", "image", "none"),
    ("merge_regions", "strength", "none"),
    ("metrics.average_precision", "iou", "list"),
}


def bad_calls():
    """Yield (id, function, argument, bad value, error) for all arguments of all functions."""
    for name in PUBLIC:
        if name in ELSEWHERE:
            continue
        for argument in inspect.signature(attrgetter(name)(segkit)).parameters:
            for arguments, errors in BAD_ARGUMENTS.items():
                if argument not in arguments:
                    continue
                for error, values in errors.items():
                    for kind, value in values.items():
                        if (name, argument, kind) in ALLOWED:
                            continue
                        yield pytest.param(
                            name, argument, value, error, id=f"{name}-{argument}-{kind}"
                        )


@pytest.mark.parametrize(("name", "argument", "value", "error"), list(bad_calls()))
def test_bad_arguments(name, argument, value, error):
    image = picture((3, 3))
    arguments = CALLS[name](image)
    copies = {k: v.copy() for k, v in arguments.items() if isinstance(v, np.ndarray)}
    arguments[argument] = value
    if argument in ("tolerance", "multiplier") and name == "region_growing":
        arguments["criterion"] = "seed" if argument == "tolerance" else "confidence"
        arguments.setdefault("tolerance", 1)
    if argument == "multiplier":
        arguments["tolerance"] = None
    if argument == "n_regions":
        arguments.pop("threshold", None)
    if argument == "channel_weights":
        arguments["criterion"] = "baatz_schape"
    if name in ("regions", "region_graph") and argument == "channel_axis":
        arguments["image"] = image
    if argument == "matrix":
        arguments = {"matrix": value}
    with pytest.raises(error, match=f"`{argument}`"):
        function_of(name)(**arguments)
    for key, copy in copies.items():
        if key != argument and key in arguments:
            np.testing.assert_array_equal(arguments[key], copy)


def test_every_argument_has_bad_values():
    known = {argument for arguments in BAD_ARGUMENTS for argument in arguments}
    for name in PUBLIC:
        if name not in ELSEWHERE:
            assert set(inspect.signature(attrgetter(name)(segkit)).parameters) <= known, name


IMAGE = picture((3, 3), np.float64)
WITH_NAN = np.where(np.eye(3) > 0, np.nan, IMAGE)
WITH_INF = np.where(np.eye(3) > 0, np.inf, IMAGE)
COLOR = picture((5, 4, 3))
CORNER = [(0, 0)]
SMALL = np.zeros((3, 2), np.int32)
BAD_COMBINATIONS = {
    "watershed, nan": ("watershed", {"relief": WITH_NAN}, "relief"),
    "watershed, nan and markers": (
        "watershed", {"relief": WITH_NAN, "markers": corners((3, 3))}, "relief",
    ),
    "local_minima, nan": ("local_minima", {"relief": WITH_NAN}, "relief"),
    "gradient, nan": ("gradient", {"image": WITH_NAN}, "image"),
    "pixel_features, nan": ("pixel_features", {"image": WITH_NAN}, "image"),
    "pixel_features, inf": ("pixel_features", {"image": WITH_INF}, "image"),
    "pixel_features, lab of one channel": (
        "pixel_features", {"image": IMAGE, "names": ["lab"]}, "image",
    ),
    "quadtree, nan": ("quadtree", {"image": WITH_NAN, "threshold": 1}, "image"),
    "quadtree, inf": ("quadtree", {"image": WITH_INF, "threshold": 1}, "image"),
    "quadtree, mask of another shape": (
        "quadtree", {"image": IMAGE, "threshold": 1, "mask": SMALL}, "mask",
    ),
    "quadtree, sizes": (
        "quadtree", {"image": IMAGE, "threshold": 1, "min_size": 2, "max_size": 1}, "max_size",
    ),
    "felzenszwalb, nan": ("felzenszwalb", {"image": WITH_NAN, "scale": 1}, "image"),
    "felzenszwalb, inf": ("felzenszwalb", {"image": WITH_INF, "scale": 1}, "image"),
    "statistical merging, nan": ("statistical_region_merging", {"image": WITH_NAN}, "image"),
    "statistical merging, inf": ("statistical_region_merging", {"image": WITH_INF}, "image"),
    "find_seeds, nan": ("find_seeds", {"image": WITH_NAN}, "image"),
    "components, nan": ("connected_components", {"image": WITH_NAN}, "image"),
    "growing, inf, region": ("region_growing", {"image": WITH_INF, "seeds": CORNER}, "image"),
    "growing, inf, confidence": (
        "region_growing",
        {"image": WITH_INF, "seeds": CORNER, "criterion": "confidence"},
        "image",
    ),
    "growing, nan at a seed": (
        "region_growing",
        {"image": WITH_NAN, "seeds": CORNER, "criterion": "seed", "tolerance": 1},
        "seeds",
    ),
    "growing, nan at a marker": (
        "region_growing", {"image": WITH_NAN, "seeds": corners((3, 3))}, "seeds",
    ),
    "growing, no seeds in the list": ("region_growing", {"image": IMAGE, "seeds": []}, "seeds"),
    "growing, no seeds in the markers": (
        "region_growing", {"image": IMAGE, "seeds": np.zeros((3, 3), np.uint8)}, "seeds",
    ),
    "growing, seed beyond": ("region_growing", {"image": IMAGE, "seeds": [(3, 0)]}, "seeds"),
    "growing, seed below": ("region_growing", {"image": IMAGE, "seeds": [(-1, 0)]}, "seeds"),
    "growing, seed far": ("region_growing", {"image": IMAGE, "seeds": [(10**30, 0)]}, "seeds"),
    "growing, seed of one axis": ("region_growing", {"image": IMAGE, "seeds": [(1,)]}, "seeds"),
    "growing, seed of three axes": (
        "region_growing", {"image": IMAGE, "seeds": [(1, 1, 1)]}, "seeds",
    ),
    "growing, seeds ragged": (
        "region_growing", {"image": IMAGE, "seeds": [(1, 1), (1,)]}, "seeds",
    ),
    "growing, two seeds on a pixel": (
        "region_growing", {"image": IMAGE, "seeds": [(1, 1), (0, 0), (1, 1)]}, "seeds",
    ),
    "growing, seed outside the mask": (
        "region_growing", {"image": IMAGE, "seeds": CORNER, "mask": ~np.eye(3, dtype=bool)},
        "seeds",
    ),
    "growing, mask all false": (
        "region_growing", {"image": IMAGE, "seeds": CORNER, "mask": np.zeros((3, 3), bool)},
        "seeds",
    ),
    "growing, no tolerance": (
        "region_growing", {"image": IMAGE, "seeds": CORNER, "criterion": "seed"}, "tolerance",
    ),
    "growing, no tolerance for neighbor": (
        "region_growing", {"image": IMAGE, "seeds": CORNER, "criterion": "neighbor"}, "tolerance",
    ),
    "growing, unseeded without tolerance": ("region_growing", {"image": IMAGE}, "tolerance"),
    "growing, confidence without seeds": (
        "region_growing", {"image": IMAGE, "criterion": "confidence"}, "seeds",
    ),
    "growing, confidence of channels": (
        "region_growing",
        {"image": COLOR, "seeds": CORNER, "criterion": "confidence", "channel_axis": -1},
        "criterion|channel_axis|image",
    ),
    "growing, markers of another shape": (
        "region_growing", {"image": IMAGE, "seeds": SMALL}, "seeds",
    ),
    "growing, mask of another shape": (
        "region_growing", {"image": IMAGE, "seeds": CORNER, "mask": SMALL}, "mask",
    ),
    "watershed, markers of another shape": (
        "watershed", {"relief": IMAGE, "markers": SMALL}, "markers",
    ),
    "watershed, flat markers for a volume": (
        "watershed", {"relief": COLOR, "markers": corners((5, 4))}, "markers",
    ),
    **{
        f"{name}, other shapes": (name, {"truth": SMALL, "test": np.eye(3, dtype=int)}, "truth")
        for name in PUBLIC
        if {"truth", "test"} <= set(inspect.signature(attrgetter(name)(segkit)).parameters)
    },
    "join, other shapes": ("join", {"first": corners((3, 3)), "second": SMALL}, "second"),
    "region_graph, other shapes": (
        "region_graph", {"labels": corners((3, 3)), "image": SMALL}, "image",
    ),
    "region_graph, strength of another shape": (
        "region_graph", {"labels": corners((3, 3)), "strength": SMALL}, "strength",
    ),
    "region_graph, nan": ("region_graph", {"labels": np.eye(3, dtype=int), "image": WITH_NAN},
                          "image"),
    "region_graph, inf": ("region_graph", {"labels": np.eye(3, dtype=int), "image": WITH_INF},
                          "image"),
    "region_graph, nan in strength": (
        "region_graph", {"labels": np.eye(3, dtype=int), "strength": WITH_NAN}, "strength",
    ),
    "region_graph, channels of nothing": (
        "region_graph", {"labels": corners((3, 3)), "channel_axis": 0}, "channel_axis",
    ),
    "merge_regions, other shapes": (
        "merge_regions", {"labels": corners((3, 3)), "image": SMALL, "threshold": 1}, "image",
    ),
    "merge_regions, nan": (
        "merge_regions", {"labels": np.eye(3, dtype=int), "image": WITH_NAN, "threshold": 1},
        "image",
    ),
    "merge_regions, inf": (
        "merge_regions", {"labels": np.eye(3, dtype=int), "image": WITH_INF, "threshold": 1},
        "image",
    ),
    "split_region, no such region": (
        "split_region", {"labels": corners((3, 3)), "label": 3, "parts": corners((3, 3))}, "label",
    ),
    "split_region, other shapes": (
        "split_region", {"labels": corners((3, 3)), "label": 2, "parts": SMALL}, "parts",
    ),
    "regions, other shapes": ("regions", {"labels": corners((3, 3)), "image": SMALL}, "image"),
    "mean_image, other shapes": (
        "mean_image", {"labels": corners((3, 3)), "image": SMALL}, "image",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arguments", "argument"), BAD_COMBINATIONS.values(), ids=BAD_COMBINATIONS
)
def test_bad_combinations(name, arguments, argument):
    with pytest.raises(ValueError, match=f"`({argument})`"):
        function_of(name)(**arguments)


@pytest.mark.parametrize("seeds", [[(0.5, 0)], [("a", "b")], [(True, False)], [(1j, 0)], "ab", 3.5])
def test_seeds_that_are_no_positions(seeds):
    with pytest.raises((TypeError, ValueError), match="`seeds`"):
        segkit.region_growing(IMAGE, seeds, tolerance=1)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("region_growing", {"image": COLOR, "seeds": corners((5, 4)), "tolerance": 1}),
        (
            "region_growing",
            {"image": COLOR, "tolerance": 1, "mask": np.ones((5, 4), bool), "criterion": "seed"},
        ),
        ("find_seeds", {"image": COLOR, "mask": np.ones((5, 4), bool)}),
        ("quadtree", {"image": COLOR, "threshold": 1, "mask": np.ones((5, 4), bool)}),
        ("regions", {"labels": corners((5, 4)), "image": COLOR}),
        ("region_graph", {"labels": corners((5, 4)), "image": COLOR}),
        ("merge_regions", {"labels": corners((5, 4)), "image": COLOR, "threshold": 1}),
        ("mean_image", {"labels": corners((5, 4)), "image": COLOR}),
    ],
)
def test_a_color_image_taken_as_a_volume_gets_a_hint(name, arguments):
    with pytest.raises(ValueError, match="channel_axis=-1"):
        function_of(name)(**arguments)


@pytest.mark.parametrize("name", [n for n in PUBLIC if n not in FILES])
def test_calls_without_arguments_are_a_type_error(name):
    with pytest.raises(TypeError):
        attrgetter(name)(segkit)()
