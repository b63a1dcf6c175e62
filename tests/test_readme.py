"""What the README and the guide say is true: their code runs, their links lead somewhere."""

import re

import pytest

import segkit
from segkit.cli import main
from tests.conftest import ROOT

PAGES = [
    "README.md",
    "docs/index.md",
    "docs/split_and_merge.md",
    "docs/classification.md",
    "docs/cnn.md",
    "docs/training.md",
]
EXTRAS = {"docs/training.md": ("torch", "onnx")}


def blocks(page, language):
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    for extra in EXTRAS.get(page, ()):
        pytest.importorskip(extra, reason="an extra: pip install 'segkit[train]'")
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), names)
    assert any(tmp_path.iterdir())
    printed = capsys.readouterr().out
    promised = re.findall(r"^# (\[.*|  ?\[.*)$", "".join(blocks(page, "python")), re.M)
    for line in promised:
        assert line.strip() in printed
    if page == "docs/index.md":
        assert "24 coins" in printed


def test_the_first_block_of_the_readme_is_six_lines():
    lines = [line for line in blocks("README.md", "python")[0].splitlines() if line]
    assert len(lines) == 6


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert links
    for link in links:
        assert ((ROOT / page).parent / link).exists(), link


def test_the_table_of_methods_is_complete():
    table = re.search(r"## Methods\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.S)[1]
    named = set(re.findall(r"`(\w+)`", table))
    functions = {name for name in segkit.__all__ if name not in ("METHODS", "Comparison")}
    assert functions - named == set()
    assert named - functions == set()


def test_the_guide_names_every_measure():
    text = (ROOT / "docs/index.md").read_text()
    measures = {name for name in segkit.metrics.__all__ if name.islower()}
    assert measures - set(re.findall(r"`(\w+)`", text)) == set()


def test_the_commands_of_the_readme_are_understood():
    shell = "".join(blocks("README.md", "sh"))
    for command in re.findall(r"^segkit (\w+)", shell, re.M):
        assert main([command, "--help"]) == 0
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"^make (\w+)", shell, re.M):
        assert target in targets


def test_the_version_is_the_same_everywhere():
    for path, pattern in (
        ("pyproject.toml", r'^version = "(.*)"'),
        ("CITATION.cff", r"^version: (.*)"),
        ("CHANGELOG.md", r"^## (\S+)"),
    ):
        assert re.search(pattern, (ROOT / path).read_text(), re.M)[1] == segkit.__version__
