"""The report opened from disk without a network: it fits, draws, and keeps hostile names as text."""

from pathlib import Path
from typing import Any

import pytest

from infra.report import written
from tests.unit.report import made

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark-phone": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}, "has_touch": True},
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    written.write(path, made.rich())
    return path


def watched(page: Any) -> list[str]:
    """Fills with whatever the page does that it shouldn't."""
    wrong: list[str] = []

    def asked(request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            wrong.append(request.url)

    def said(message: Any) -> None:
        if message.type in {"error", "warning"}:
            wrong.append(message.text)

    def went(other: Any) -> None:
        wrong.append(str(other))

    for event, keep in (("console", said), ("request", asked), ("pageerror", went), ("dialog", went)):
        page.on(event, keep)
    return wrong


@pytest.mark.parametrize("look", LOOKS)
def test_it_opens_from_disk_and_fits(chromium: Any, report: Path, look: str) -> None:
    context = chromium.new_context(**LOOKS[look])
    context.set_offline(True)
    page = context.new_page()
    wrong = watched(page)
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn]")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.wait_for_function(
        "document.querySelectorAll('.chart .main-svg').length >= document.querySelectorAll('.chart').length"
    )
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{look}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == look.startswith("dark")
    assert page.locator("#answer").inner_text().count("</script><script>alert(1)") > 0
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert wrong == []
    context.close()
