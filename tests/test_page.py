"""The page of a comparison: complete, self-contained, with the right numbers in its tables."""

import base64
import html
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

import segkit
from segkit import _outlines, _page, _scoring, metrics
from tests.test_comparison import TRUTH, squares, strokes


class Page(html.parser.HTMLParser):
    """Collect what a page refers to, its tags, its tables, and tags left open."""

    VOID = ("meta", "link", "img", "input", "br")

    def __init__(self, text):
        super().__init__()
        self.addresses, self.open, self.count, self.ids = [], [], {}, []
        self.tables, self.attributes = {}, []
        self.feed(text)
        self.addresses += re.findall(r"url\(([^)]*)\)", text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.count[tag] = self.count.get(tag, 0) + 1
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.attributes.append((tag, attributes))
        if tag == "table":
            self.rows = self.tables[attributes["id"]] = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if any(tag in self.open for tag in ("td", "th")):
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def comparison():
    color = np.stack([squares()] * 3, axis=-1)
    large = np.kron(squares(), np.ones((25, 20), dtype=np.uint8))
    return segkit.compare(
        {"<grey> & 'odd'": squares(), "color": color, "volume": np.stack([squares()] * 4),
         "large": large},
        methods=["watershed", "growing_seed", "marker_watershed"],
        truths={"color": [TRUTH + 1, TRUTH // 2 + 1], "volume": np.stack([TRUTH > 0] * 4)},
        kind={"volume": "mask"},
        markers={"large": np.kron(strokes(), np.ones((25, 20), dtype=np.uint8))},
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    path = comparison.save(tmp_path_factory.mktemp("page") / "deep" / "report")
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
    assert parsed.count["article"] == 12
    # Two pictures of each result, outlines of six; two annotators, a mask, markers.
    assert parsed.count["img"] == 2 * 12 + 6 + 2 + 1 + 1
    assert len(parsed.tables) == 5
    assert "<grey>" not in page
    assert "&lt;grey&gt;" in page
    assert "middle plane shown" in page
    assert "Annotator 2: 2 regions" in page
    assert "Truth: the object" in page


def test_ids_are_unique_and_links_lead_to_them(page):
    parsed = Page(page)
    assert len(set(parsed.ids)) == len(parsed.ids)
    for address in parsed.addresses:
        if address.startswith("#"):
            assert address[1:] in parsed.ids


def test_every_picture_can_be_heard(page):
    for tag, attributes in Page(page).attributes:
        if tag == "img":
            assert attributes["alt"]
        if tag == "svg" or attributes.get("role") == "img":
            assert attributes["aria-label"]
        if tag == "button" and attributes.get("class", "").startswith("view"):
            assert attributes["aria-label"].startswith("Enlarge: ")


def test_the_pages_script_has_balanced_brackets(page):
    script = re.search(r"<script>(.*)</script>", page, re.S)[1]
    for left, right in ("()", "[]", "{}"):
        assert script.count(left) == script.count(right)


def test_the_pages_pictures_fit_their_photographs(page):
    sizes = set()
    for text in re.findall(r"data:image/webp;base64,([^\"')]*)", page):
        picture = Image.open(io.BytesIO(base64.b64decode(text)))
        picture.load()
        sizes.add(picture.size)
    assert sizes == {(60, 40), (720, 600)}


def test_a_call_on_the_page_gives_its_result_again(page, comparison):
    calls = re.findall(r"<code>(segkit\.segment\(.*?\))</code>", page)
    assert len(calls) == 12
    for call, row in zip(calls, comparison.table, strict=True):
        names = {"image": comparison.images[row["image"]]}
        if row["image"] in comparison.markers:
            names["markers"] = comparison.markers[row["image"]]
        labels = eval(html.unescape(call), {"segkit": segkit, **names})
        np.testing.assert_array_equal(labels, comparison.labels[row["image"], row["method"]])


# Tables


def test_tables_hold_the_scores_best_first(page, comparison):
    head, *lines = Page(page).tables["image-2-board"]
    assert head[:5] == ["Method", "Covering", "Rand index", "VI", "Boundary F"]
    rows = [row for row in comparison.table if row["image"] == "color"]
    rows.sort(key=lambda row: -row["covering"])
    assert [line[0] for line in lines] == [_page.title(row["method"]) for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert line[1].removesuffix("best") == f"{row['covering']:.3f}"
        assert line[3].removesuffix("best") == f"{row['variation_of_information']:.2f}"


def test_the_table_over_all_images_holds_means(page, comparison):
    head, *lines = Page(page).tables["overall-board"]
    assert {"Covering", "IoU", "Explained", "Time", "Memory"} <= set(head)
    for line in lines:
        rows = [row for row in comparison.table if _page.title(row["method"]) == line[0]]
        assert len(rows) == 4
        mean = np.mean([row["explained_variation"] for row in rows])
        assert line[head.index("Explained")].removesuffix("best") == f"{mean:.3f}"
        covering = next(row["covering"] for row in rows if "covering" in row)
        assert line[head.index("Covering")].removesuffix("best") == f"{covering:.3f}"
    assert "IoU, Dice, Hausdorff: volume only." in page


def test_the_best_of_each_column_is_marked(page, comparison):
    head, *lines = Page(page).tables["image-3-board"]
    rows = [row for row in comparison.table if row["image"] == "volume"]
    for name, column in (("jaccard", "IoU"), ("hausdorff", "Hausdorff"), ("memory", "Memory")):
        score = _scoring.SCORES[name]
        best = (max if score.better == "more" else min)(row[name] for row in rows)
        cells = [line[head.index(column)] for line in lines]
        marked = {cell.removesuffix("best") for cell in cells if cell.endswith("best")}
        assert marked == {score.written(best)}
        assert all(cell.endswith("best") for cell in cells if cell == score.written(best))
    for column in ("Regions", "No label"):
        assert not any(line[head.index(column)].endswith("best") for line in lines)


def test_means_over_fewer_images_are_named_and_not_called_best():
    table = [
        {"image": name, "method": method, "kind": None, "markers": False, "n_regions": 3,
         "explained_variation": value, "unlabelled": 0.0, "seconds": seconds, "memory": 10}
        for name, method, value, seconds in (
            ("a", "watershed", 0.5, 1.0), ("b", "watershed", 0.6, 2.0), ("a", "nuclei", 0.9, 0.1),
        )
    ]  # fmt: skip
    board = _page._overall(table)
    assert [row["title"] for row in board["rows"]] == ["Watershed", "Nuclei (a)"]
    column = [name for name in _scoring.SCORES if name in table[0]].index("seconds")
    assert [row["cells"][column]["text"] for row in board["rows"]] == ["1.50 s", "0.10 s"]
    assert not any(row["cells"][column]["best"] for row in board["rows"])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("covering", 0.12345, "0.123"),
        ("variation_of_information", 2.345, "2.35"),
        ("unlabelled", 0.1234, "12.3 %"),
        ("n_regions", 12345, "12\u202f345"),
        ("seconds", 0.00123, "1.2 ms"),
        ("seconds", 0.0123, "12 ms"),
        ("seconds", 0.0999, "0.10 s"),
        ("seconds", 12.3, "12 s"),
        ("memory", 1_234_567, "1.2 MB"),
        ("memory", 123_456_789, "123 MB"),
        ("hausdorff", np.inf, "∞"),
        ("covering", np.nan, "\u2013"),
        ("covering", None, "\u2013"),
    ],
)
def test_scores_are_written_to_be_read(name, value, text):
    assert _scoring.SCORES[name].written(value) == text


def test_every_score_is_explained_and_has_a_place():
    placed = {name for names in _scoring.KINDS.values() for name in names}
    assert placed | set(_scoring.GENERAL) == set(_scoring.SCORES)
    for score in _scoring.SCORES.values():
        assert score.text.endswith(".")
        assert score.better in ("more", "less", "")


# Outlines


def test_outlines_are_those_that_boundary_scores_count():
    generator = np.random.default_rng(1)
    truths = [np.kron(generator.integers(1, 4, (6, 8)), np.ones((7, 7), int)) for _ in range(2)]
    labels = np.roll(truths[0], (1, 2), (0, 1))
    labels[20:30, 10:40] = 9
    maps = _outlines.against(labels, truths)
    counts = metrics.boundary_counts(truths, labels)
    assert maps["found"].sum() == counts.matched_test
    assert (maps["found"] | maps["extra"]).sum() == counts.n_test
    assert not (maps["found"] & maps["extra"]).any()
    one = _outlines.against(labels, truths[:1])
    counts = metrics.boundary_counts(truths[:1], labels)
    assert one["missed"].sum() == counts.n_truth - counts.matched_truth


def test_outlines_beside_void_are_left_out():
    truth = np.array([[1, 1, 0, 0, 2, 2]] * 3)
    maps = _outlines.against(np.array([[1, 1, 2, 2, 3, 3]] * 3), [truth], void=True)
    assert not maps["missed"].any()
    inside_void = _outlines.against(np.array([[1, 1, 1, 1, 2, 3]] * 3), [truth * 0], void=True)
    assert not any(each.any() for each in inside_void.values())
    maps = _outlines.against(np.ones((3, 6), int), [np.array([[1, 1, 2, 2, 2, 0]] * 3)], void=True)
    assert maps["missed"].sum() == 3


def test_dark_pictures_are_brightened():
    dark = np.full((4, 5, 3), 20, dtype=np.uint8)
    dark[0] = 40
    picture, brightened = _page._brightened(dark)
    assert brightened
    assert (picture.max(), picture.min()) == (255, 128)
    for other in (np.zeros((4, 5, 3), np.uint8), np.full((4, 5, 3), 200, np.uint8)):
        picture, brightened = _page._brightened(other)
        assert not brightened
        np.testing.assert_array_equal(picture, other)


def test_what_started_from_markers_is_told_apart(tmp_path):
    result = segkit.compare(
        [squares()], methods=["scribbles", "watershed"], truths=[TRUTH > 0], kind="mask",
        markers=[strokes()],
    )  # fmt: skip
    text = result.save(tmp_path).read_text(encoding="utf-8")
    lines = Page(text).tables["image-1-board"][1:]
    assert sorted(line[0] for line in lines) == ["Scribbles *", "Watershed"]
    assert "* started from the markers" in text


def test_an_image_of_one_region_has_no_outlines():
    maps = _outlines.against(np.ones((3, 6), int), [np.ones((3, 6), int)])
    assert not any(marked.any() for marked in maps.values())


def test_a_page_that_is_interrupted_leaves_the_old_one(tmp_path, monkeypatch):
    result = segkit.compare([squares()], methods=["watershed"])
    old = result.save(tmp_path).read_bytes()
    for place in ("segkit._page._chart.chart", "segkit._page._files.os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(place, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                result.save(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
        assert (tmp_path / "index.html").read_bytes() == old
