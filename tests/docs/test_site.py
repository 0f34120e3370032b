"""The site builds strictly, holds every page, and asks nobody else for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

FETCHED = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]*)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    written = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {path for path in written if not (site / path).is_file()} == set()


def test_every_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text()
    missing = [
        str(path)
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if path.name != "index.md" and f'href="{path.relative_to(ROOT / "docs").with_suffix(".html")}"' not in home
    ]
    assert missing == [], "give it a line under nav in mkdocs.yml"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {address for page in site.rglob("*.html") for address in FETCHED.findall(page.read_text())}
    assert fetched == set()
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", styles)


def test_the_search_knows_what_is_written(site: Path) -> None:
    index = (site / "search/search_index.json").read_text()
    assert "TRADEWIND_BATCH_MAX_AGE_MS" in index
    assert "reference/topics.html#user-events" in index


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    config = (ROOT / "mkdocs.yml").read_text()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("[gone](gone.md)")
    (tmp_path / "mkdocs.yml").write_text(config.partition("\nnav:")[0])
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 0
    assert "gone.md" in done.stderr
