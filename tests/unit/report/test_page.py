"""The page from evidence: all names stay text, what is refused has no number, and what is missing is said."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import plotly.graph_objects as plotly
import pytest
from msgspec.structs import replace

from infra.errors import UserError
from infra.judging.evidence import Candidate, Estimate, Evidence, Judgement, Weights
from infra.report import written
from infra.report.opened import opened
from infra.report.page import render
from tests.unit.report import made

DATA = re.compile(r'<script type="application/json" id="(\w+)">(.*?)</script>', re.DOTALL)


def page(evidence: Evidence) -> str:
    """Without the library."""
    return re.sub(r"<script>.*?</script>", "", render(evidence), flags=re.DOTALL)


def figures(html: str) -> dict[str, Any]:
    return msgspec.json.decode(dict(DATA.findall(html))["figures"])


def text(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", DATA.sub("", html))))


def test_every_chart_has_a_place_and_a_table_and_is_one_that_plotly_knows() -> None:
    html = page(made.rich())
    found = figures(html)
    kinds = {name.split("-")[2] for name in found}
    assert kinds == {"values", "differences", "curves", "weights", "calibration", "segments", "arms"}
    make: Any = plotly.Figure
    for name, figure in found.items():
        assert html.count(f'id="{name}"') == 1
        assert make(figure).data, name
    assert html.count("<table") >= len(found)


def test_hostile_names_are_text_wherever_they_stand() -> None:
    html = page(made.rich())
    assert "<script>alert" not in html
    assert html.count("</script>") == 2  # the two with data; the others were taken out above
    assert html.count("&lt;/script&gt;&lt;script&gt;alert(1)") > 5
    labels = str(figures(html))
    assert "&lt;/script&gt;" in labels
    assert "</script>" not in labels


def test_the_evidence_is_inside_and_comes_out_as_it_went_in(tmp_path: Path) -> None:
    for name in ("report.html", "report.json"):
        path = tmp_path / name
        written.check(path)
        written.write(path, made.rich())
        assert opened(path).evidence == made.rich()
        assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []
    assert opened(tmp_path / "report.html").sha256 != opened(tmp_path / "report.json").sha256


def test_what_is_refused_is_said_in_words_and_stands_in_no_comparison() -> None:
    rule = Candidate(name="uniform", kind="rule", domains={"recommendation": made.refused("effective sample size 9")})
    html = page(made.evidence(rule, made.candidate(made.BETTER, {"recommendation": made.judged()})))
    assert "Refused: uniform." in text(html)
    assert "The data can't carry a statement. Effective sample size 9." in text(html)
    assert "10.55" not in text(html)  # its value
    for name, figure in figures(html).items():
        named = [one.get("name") for one in figure["data"]]
        assert ("uniform" in named) == ("weights" in name), name


def test_a_segment_worth_too_little_is_not_told() -> None:
    html = page(made.evidence(made.candidate(made.BETTER, {"recommendation": made.judged()})))
    assert "too few: 12" in html


@pytest.mark.parametrize(
    "bare",
    [
        made.evidence(serving=None, verified=None, logged={}, left_out={}, read={}, judged=0, made_at=0),
        made.evidence(logged={"bidding": made.logged(curve=[], segments=[], calibration=[], value=Estimate())}),
        made.evidence(
            made.candidate(
                made.BETTER,
                {
                    "recommendation": Judgement(
                        verdict="ok",
                        decisions=0,
                        entities=0,
                        value=Estimate(),
                        difference=Estimate(),
                        weights=Weights(),
                    )
                },
            )
        ),
        made.evidence(made.candidate(made.BETTER, {}, changes=["bidding"])),
    ],
    ids=["nothing", "no parts", "no numbers", "another domain"],
)
def test_what_is_missing_makes_a_shorter_page(bare: Evidence) -> None:
    assert "The answer" in page(bare)
    assert "None" not in text(page(bare))


def test_an_experiment_is_read_out_and_a_refused_one_has_no_difference() -> None:
    bad = made.experiment("uneven", verdict="refused", reasons=["entities fell unevenly"])
    told = text(page(made.evidence(experiments=[bad])))
    assert "Refused. entities fell unevenly" in told
    assert "0.0712" not in told
    assert "+0.0712" in text(page(made.rich()))


def test_the_page_may_run_its_own_scripts_and_fetch_nothing() -> None:
    html = render(made.rich())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe-inline" not in policy.split(";")[1]
    head = html.split("<script", 1)[0]
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", head)


def test_a_page_without_evidence_and_a_folder_that_is_not_there_are_named(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for raw, why in (
        (b"<!doctype html><p>hello", "without evidence inside"),
        (b'{"schema": "tradewind.evidence/9", "range": {}}', "tradewind.evidence/9"),
        (b"\xff\x00", "is no evidence"),
        (b"", "is no evidence"),
    ):
        path.write_bytes(raw)
        with pytest.raises(UserError, match=why):
            opened(path)
    with pytest.raises(UserError, match="can't be read"):
        opened(tmp_path / "none.json")
    with pytest.raises(UserError, match="--report"):
        written.check(tmp_path / "none" / "report.html")


def test_the_time_it_was_made_is_told() -> None:
    assert "Made 2023-11-14 22:13 UTC by tradewind 0." in text(page(replace(made.rich(), made_at=made.NOW)))
