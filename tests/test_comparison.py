"""Pipelines, the table, and the page: complete, self-contained, right for any kind of image."""

import html.parser
import json
import re

import numpy as np
import pytest

import segkit
from segkit import _pipelines, comparison


def squares(dtype=np.uint8, scale=1):
    """Return a picture of two squares on a ground, 3 regions."""
    image = np.full((40, 60), 30, dtype=dtype)
    image[8:30, 6:26] = 120 * scale
    image[10:34, 32:54] = 220 * scale
    return image


def markers_for(method, shape):
    """Return two marks where the method needs markers; numbered in raster order."""
    if not _pipelines.needs_markers(comparison.METHODS[method]):
        return {}
    markers = np.zeros(shape, dtype=np.uint8)
    markers.flat[-1] = 2
    markers.flat[0] = 1
    return {"markers": markers}


@pytest.mark.parametrize("method", comparison.METHODS)
@pytest.mark.parametrize("kind", ["grey", "color", "volume", "tiny", "flat", "bool", "float"])
def test_every_method_takes_every_kind_of_image(method, kind):
    grey = squares()
    image, axis = {
        "grey": (grey, None),
        "color": (np.stack([grey, 255 - grey, grey // 2], axis=-1), -1),
        "volume": (np.stack([grey[:20, :30]] * 6), None),
        "tiny": (np.array([[7]], dtype=np.uint8), None),
        "flat": (np.full((20, 30), 80, dtype=np.uint8), None),
        "bool": (grey > 100, None),
        "float": (grey / 255, None),
    }[kind]
    before = image.copy()
    shape = image.shape[:-1] if axis == -1 else image.shape
    given = markers_for(method, shape)
    labels = segkit.segment(image, method, channel_axis=axis, **given)
    np.testing.assert_array_equal(image, before)
    assert labels.shape == shape
    assert labels.dtype in (np.int32, np.int64)
    np.testing.assert_array_equal(labels, segkit.relabel(labels))
    again = segkit.segment(image, method, channel_axis=axis, **given)
    np.testing.assert_array_equal(labels, again)


@pytest.mark.parametrize("method", ["watershed", "growing_unseeded", "growing_neighbor"])
def test_two_squares_are_found(method):
    truth = segkit.connected_components(squares(), background=None)
    found = segkit.segment(squares(), method, sigma=1)
    assert found.max() == 3
    assert np.mean(segkit.relabel(found) == segkit.relabel(truth)) > 0.9


@pytest.mark.parametrize("method", ["watershed", "growing"])
def test_a_brighter_camera_changes_nothing(method):
    eight = squares()
    stretched = comparison.stretch(squares(np.uint16, scale=100))
    np.testing.assert_array_equal(
        segkit.segment(stretched, method),
        segkit.segment(squares(np.uint16, scale=100), method),
    )
    assert segkit.segment(eight, method).max() > 1


def test_segment_refuses_in_words():
    with pytest.raises(ValueError, match='`method` must be one of "watershed"'):
        segkit.segment(squares(), "slic")
    with pytest.raises(ValueError, match="`depht` is not a parameter of watershed; it has sigma"):
        segkit.segment(squares(), "watershed", depht=3)
    with pytest.raises(ValueError, match="`image` must not hold NaN"):
        segkit.segment(np.array([[np.nan, 1.0]]), "watershed")
    with pytest.raises(TypeError, match="`image` has dtype complex128"):
        segkit.segment(np.ones((3, 3), dtype=complex), "watershed")
    with pytest.raises(ValueError, match="`channel_axis`"):
        segkit.segment(squares(), "watershed", channel_axis=5)
    with pytest.raises(ValueError, match="`spacing` must be an integer >= 1"):
        segkit.segment(squares(), "compact_watershed", spacing=0)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_a_sigma_that_cannot_be_sampled_is_refused_by_every_method(method):
    image = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="`sigma` must be a number of pixels from 0 to"):
        segkit.segment(image, method, sigma=1e9, **markers_for(method, image.shape))


@pytest.mark.parametrize(
    "method",
    [name for name, found in comparison.METHODS.items() if _pipelines.takes_markers(found)],
)
def test_markers_keep_their_values(method):
    markers = np.zeros((40, 60), dtype=np.int64)
    markers[2, 5:40] = 9
    markers[15:20, 12] = 2**40
    markers[20, 40:46] = 4
    labels = segkit.segment(squares(), method, markers=markers)
    assert set(np.unique(labels)) == {4, 9, 2**40}
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels[markers > 0], markers[markers > 0])
    truth = np.choose(squares() // 100, [9, 2**40, 4])
    assert np.mean(labels == truth) > 0.9


def test_markers_are_refused_in_words():
    image = squares()
    with pytest.raises(ValueError, match="`markers` must be given: scribbles starts from them"):
        segkit.segment(image, "scribbles")
    with pytest.raises(ValueError, match="`markers` are of no use to flat_zones; marker_watershed"):
        segkit.segment(image, "flat_zones", markers=np.ones((40, 60), int))
    with pytest.raises(ValueError, match=r"`markers` has shape \(40, 59\), `image` has shape"):
        segkit.segment(image, "scribbles", markers=np.ones((40, 59), int))
    with pytest.raises(TypeError, match="`markers` must hold integers, got dtype float64"):
        segkit.segment(image, "scribbles", markers=np.ones((40, 60)))
    with pytest.raises(ValueError, match="`markers` must hold ids >= 0, got -1"):
        segkit.segment(image, "scribbles", markers=np.full((40, 60), -1))
    with pytest.raises(ValueError, match="`markers` must mark at least one pixel"):
        segkit.segment(image, "scribbles", markers=np.zeros((40, 60), int))
    with pytest.raises(ValueError, match="pass channel_axis=-1"):
        segkit.segment(np.stack([image] * 3, -1), "scribbles", markers=np.ones((40, 60), int))


def test_what_can_be_tuned_is_declared_for_every_method():
    assert set(_pipelines.SEARCH) == set(comparison.METHODS)
    for method, space in _pipelines.SEARCH.items():
        defaults = _pipelines.defaults_of(comparison.METHODS[method])
        assert set(space) <= set(defaults), method
        for values in space.values():
            assert list(values) == sorted(values)


def test_by_default_pictures_are_compared_by_the_methods_for_photographs():
    result = segkit.compare([squares()])
    assert [row["method"] for row in result.table] == list(_pipelines.PHOTOGRAPHS)


def test_empty_images_give_empty_labels():
    assert segkit.segment(np.zeros((0, 5), np.uint8), "watershed").shape == (0, 5)


def test_compare_makes_one_row_for_each_image_and_method():
    color = np.stack([squares()] * 3, axis=-1)
    result = segkit.compare(
        {"grey": squares(), "color": color},
        methods={"watershed": {"depth": 3}, "growing": {}},
    )
    assert [(row["image"], row["method"]) for row in result.table] == [
        ("grey", "watershed"), ("grey", "growing"), ("color", "watershed"), ("color", "growing"),
    ]  # fmt: skip
    for row in result.table:
        labels = result.labels[row["image"], row["method"]]
        assert labels.shape == (40, 60)
        assert row["n_regions"] == labels.max()
        assert row["seconds"] > 0
    assert result.table[0]["parameters"] == {"sigma": 2.0, "depth": 3, "min_size": 50}


def test_compare_refuses_in_words():
    with pytest.raises(TypeError, match="`images` must be a dict of arrays"):
        segkit.compare(squares())
    with pytest.raises(ValueError, match="`images` must hold at least one"):
        segkit.compare([])
    with pytest.raises(ValueError, match="must be a picture or a volume"):
        segkit.compare([np.zeros((0, 3))])
    with pytest.raises(ValueError, match="`methods` must be one of"):
        segkit.compare([squares()], methods=["slic"])
    with pytest.raises(ValueError, match="`truths` has 'b'"):
        segkit.compare({"a": squares()}, truths={"b": squares()})
    with pytest.raises(ValueError, match=r"they must be equal"):
        segkit.compare({"a": squares()}, truths={"a": squares()[1:]})


# The page


class Page(html.parser.HTMLParser):
    """Collect what a page refers to, its rows, and tags left open."""

    VOID = ("meta", "link", "img", "input", "br")

    def __init__(self, text):
        super().__init__()
        self.addresses, self.open, self.count = [], [], {}
        self.feed(text)
        self.addresses += re.findall(r"url\(([^)]*)\)", text)

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    color = np.stack([squares()] * 3, axis=-1)
    large = np.kron(squares(), np.ones((25, 20), dtype=np.uint8))
    result = segkit.compare(
        {"<grey> & 'odd'": squares(), "color": color, "volume": np.stack([squares()] * 4),
         "large": large},
        methods=["watershed", "growing_seed"],
        truths={"color": squares() // 100},
    )  # fmt: skip
    path = result.save(tmp_path_factory.mktemp("page") / "deep" / "report")
    assert path.name == "index.html"
    assert [item.name for item in path.parent.iterdir()] == ["index.html"]
    return path.read_text(encoding="utf-8")


def test_the_page_asks_for_nothing_outside(page):
    for address in Page(page).addresses:
        assert address.startswith(("data:", "#")), address
    assert "http" not in re.sub(r"data:[^\"')]*", "", page)


def test_the_page_is_whole(page):
    parsed = Page(page)
    assert parsed.open == []
    assert parsed.count["article"] == 8
    assert parsed.count["img"] == 2 * 8 + 1
    assert page.count("<tr>") == 8 + 1
    assert "<grey>" not in page
    assert "&lt;grey&gt;" in page
    assert "middle plane shown" in page


def test_the_pages_script_has_balanced_brackets(page):
    script = re.search(r"<script>(.*)</script>", page, re.S)[1]
    for left, right in ("()", "[]", "{}"):
        assert script.count(left) == script.count(right)


def test_the_pages_pictures_fit_their_photographs(page):
    import base64
    import io

    from PIL import Image

    sizes = set()
    for text in re.findall(r"data:image/png;base64,([^\"')]*)", page):
        picture = Image.open(io.BytesIO(base64.b64decode(text)))
        picture.load()
        sizes.add(picture.size)
    assert sizes == {(60, 40), (720, 600)}


def test_a_call_on_the_page_gives_its_result_again(page):
    calls = re.findall(r"<code>(segkit\.segment\(.*?\))</code>", page)
    assert len(calls) == 8
    shown = re.findall(r'class="numbers">(\d+) region', page)
    for place, image in ((0, squares()), (2, np.stack([squares()] * 3, axis=-1))):
        labels = eval(html.unescape(calls[place]), {"segkit": segkit, "image": image})
        assert labels.shape == (40, 60)
        assert labels.max() == int(shown[place])


def test_the_table_is_plain_data():
    result = segkit.compare([squares()], methods=["watershed"])
    assert json.loads(json.dumps(result.table)) == result.table
