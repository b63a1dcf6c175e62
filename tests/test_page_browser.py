"""The page in a real browser: nothing asked for, nothing wrong, everything answers.

Skipped where there is no Chromium: apt-get install chromium.
"""

import numpy as np
import pytest

import segkit
from tests import browser
from tests.test_comparison import TRUTH, squares

pytestmark = pytest.mark.skipif(
    browser.find() is None, reason="no Chromium here (apt-get install chromium)"
)
DESK, TELEPHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a page with every kind of truth, a color picture, a volume, and no truth."""
    grey = squares()
    comparison = segkit.compare(
        {"grey": grey, "a name that is rather long, for a telephone": grey, "color":
         np.stack([grey] * 3, axis=-1), "volume": np.stack([grey] * 4), "plain": grey},
        methods=["watershed", "growing_seed", "growing_neighbor", "flat_zones"],
        truths={"grey": [TRUTH + 1, TRUTH // 2 + 1], "color": TRUTH, "volume": np.stack([TRUTH] * 4)
                > 0, "a name that is rather long, for a telephone": TRUTH},
        kind={"color": "classes", "volume": "mask",
              "a name that is rather long, for a telephone": "instances"},
    )  # fmt: skip
    return comparison.save(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def page(chromium, path):
    """Return the browser with the page freshly loaded; afterwards nothing may have gone wrong."""
    chromium.events.clear()
    chromium.resize(*DESK)
    chromium.open(path)
    yield chromium
    chromium.run("1")  # all that was told before has been read then
    wrong = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    assert [event for event in chromium.events if event.get("method") in wrong] == []


def test_the_page_loads_and_asks_for_nothing_but_itself(page, path):
    page.run("document.querySelectorAll('img').forEach(image => image.scrollIntoView())")
    asked = [
        event["params"]["request"]["url"]
        for event in page.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert asked.count(path.as_uri()) == 1
    assert [url for url in asked if url != path.as_uri() and not url.startswith("data:")] == []
    broken = "[...document.images].filter(image => !image.complete || !image.naturalWidth).length"
    assert page.run(broken) == 0
    assert page.run("document.images.length") > 40
    assert page.run("document.title").startswith("segkit: 20 segmentations")


COLUMN = """
(() => {
  const table = document.getElementById(%r);
  const cells = [...table.tBodies[0].rows].map(row => row.cells[%d]);
  return cells.map(cell => cell.dataset.value ?? cell.textContent);
})()
"""


def column(page, table, number):
    """Return what a column holds, from top to bottom: numbers, or words in the first."""
    values = page.run(COLUMN % (table, number))
    return [value if number == 0 else float(value or "nan") for value in values]


TABLES = ("overall-board", "image-1-board", "image-2-board", "image-3-board", "image-4-board",
          "image-5-board")  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_every_column_sorts_both_ways(page, table):
    heads = f"[...document.getElementById({table!r}).tHead.rows[0].cells]"
    rows = sorted(column(page, table, 0))
    for number in range(page.run(f"{heads}.length")):
        better = page.run(f"{heads}[{number}].dataset.better")
        page.run(f"{heads}.forEach(head => head.removeAttribute('aria-sort'))")
        for order in (
            ("descending", "ascending") if better == "more" else ("ascending", "descending")
        ):
            page.run(f"{heads}[{number}].querySelector('button').click()")
            assert page.run(f"{heads}[{number}].ariaSort") == order
            assert page.run(f"{heads}.filter(head => head.ariaSort).length") == 1
            found = column(page, table, number)
            there = [value for value in found if value == value]
            assert there == sorted(there, reverse=order == "descending"), (table, number)
            assert all(value == value for value in found[: len(there)]), "missing values come last"
        assert sorted(column(page, table, 0)) == rows


def test_a_column_sorts_by_the_keyboard(page):
    head = "document.querySelector('#image-5-board th:nth-child(5) button')"
    page.run(f"{head}.focus()")
    page.press("Enter", 13, "\r")
    assert page.run(f"{head}.parentNode.ariaSort") == "ascending"
    assert column(page, "image-5-board", 4) == sorted(column(page, "image-5-board", 4))
    page.press(" ", 32, " ")
    assert page.run(f"{head}.parentNode.ariaSort") == "descending"


def test_the_score_that_is_drawn_can_be_chosen(page):
    plot = "document.querySelector('#image-1 .plot')"
    shown = f"[...{plot}.querySelectorAll('svg')].filter(svg => svg.checkVisibility())"
    names = page.run(f"[...{plot}.querySelector('select').options].map(option => option.text)")
    assert names[:4] == ["Covering", "Rand index", "VI", "Boundary F"]
    for number, name in enumerate(names):
        page.run(f"{plot}.querySelector('select').selectedIndex = {number}")
        page.run(f"{plot}.querySelector('select').dispatchEvent(new Event('change'))")
        assert page.run(f"{shown}.length") == 1
        assert page.run(f"{shown}[0].ariaLabel").startswith(name)


def test_names_in_a_drawing_do_not_cover_each_other(page):
    boxes = page.run("""
      [...document.querySelectorAll('#overall svg')][0].querySelectorAll('text').values().map(
        text => { const box = text.getBoundingClientRect();
                  return [text.textContent, box.left, box.top, box.right, box.bottom]; }).toArray()
    """)
    names = [box for box in boxes if box[0] in ("Watershed", "Growing seed", "Flat zones")]
    assert len(names) == 3
    for k, (_, left, top, right, bottom) in enumerate(names):
        for _, other_left, other_top, other_right, other_bottom in names[:k]:
            beside = right <= other_left or other_right <= left
            assert beside or bottom <= other_top or other_bottom <= top


def test_the_slider_fades_the_regions(page):
    layer = "document.querySelector('.card .layer')"
    assert float(page.run(f"getComputedStyle({layer}).opacity")) == 1
    page.run("document.getElementById('fade').focus()")
    for _ in range(4):
        page.press("ArrowLeft", 37)
    assert float(page.run(f"getComputedStyle({layer}).opacity")) == pytest.approx(0.8)


def test_a_picture_is_enlarged_and_the_arrows_lead_on(page):
    page.run("document.querySelector('#image-1-1 button.view').focus()")
    page.press("Enter", 13, "\r")
    shown = "document.querySelector('dialog[open] p')?.textContent"
    assert page.run(shown) == "grey, regions by Watershed"
    page.press("ArrowRight", 39)
    assert page.run(shown) == "grey, mean colors by Watershed"
    page.press("ArrowRight", 39)
    assert page.run(shown) == "grey, outlines by Watershed against the truth"
    page.press("ArrowLeft", 37)
    assert page.run(shown) == "grey, mean colors by Watershed"
    width = page.run("document.querySelector('dialog img').getBoundingClientRect().width")
    assert width > 600
    page.press("Escape", 27)
    assert page.run(shown) is None
    # The dialog tells that it is closed some time after it is: the focus follows.
    assert page.until("document.activeElement.ariaLabel === 'Enlarge: mean colors by Watershed'")
    page.run("document.querySelector('#image-3-2 button.view').click()")
    page.run("document.querySelector('dialog button').click()")
    assert page.run(shown) is None


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_sticks_out_on_a_telephone(page, path, dark):
    page.resize(*TELEPHONE, dark=dark)
    page.open(path)
    assert page.run("innerWidth") == 390
    assert page.run("document.documentElement.scrollWidth") == 390
    out = page.run("""
      [...document.querySelectorAll('body *')].filter(item =>
        !item.closest('.scroll, .bar nav, svg, .unseen, dialog')
        && item.getBoundingClientRect().right > 390.5).map(item => item.outerHTML.slice(0, 80))
    """)
    assert out == []
    small = page.run("""
      [...document.querySelectorAll('svg text')].filter(text => text.checkVisibility()).map(
        text => text.getBoundingClientRect().height)
    """)
    assert min(small) > 9


CONTRAST = """
(() => {
  const parts = color => color.match(/[\\d.]+/g).slice(0, 3).map(value => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const light = color => { const [r, g, b] = parts(color); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = item => {
    for (; item; item = item.parentElement) {
      const color = getComputedStyle(item).backgroundColor;
      if (!color.endsWith(', 0)')) return color;
    }
  };
  return [...document.querySelectorAll('h1, h2, p, a, td, th button, dt, dd, code, figcaption, label, svg text')]
    .filter(item => item.checkVisibility() && item.textContent.trim()).map(item => {
      const style = getComputedStyle(item), ink = item.closest('svg') ? style.fill : style.color;
      const [high, low] = [light(ink), light(ground(item))].sort((a, b) => b - a);
      return [(high + 0.05) / (low + 0.05), item.outerHTML.slice(0, 90)];
    }).filter(([contrast]) => contrast < 4.5);
})()
"""  # noqa: E501


@pytest.mark.parametrize("dark", [False, True])
def test_all_words_can_be_read_by_day_and_by_night(page, path, dark):
    page.resize(*DESK, dark=dark)
    page.open(path)
    assert page.run(CONTRAST) == []
    light = page.run("getComputedStyle(document.body).backgroundColor") != "rgb(22, 24, 27)"
    assert light is not dark
