"""What a simulation proves of a version, and what a promotion makes of it."""

import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from agents.versions import record_of
from infra.cli import main
from infra.judging.evidence import Named, read
from infra.versions.promotion import Ruling, digest, ruling
from infra.whatif.proof import Outcome, Played, evidence
from policies.estimators.hashing import poissons
from policies.linalg import Floats
from policies.orders.demand import PRIOR
from policies.version import SHIPPED, PolicyVersion
from streams.records import Supply
from streams.times import DAY
from streams.topics import POLICY_VERSIONS
from tests.unit.whatif.recording import START, Recording, message, saved, source, up_to
from tests.unit.whatif.test_ads import campaign, flown, history

BAD = PolicyVersion(
    number=1, parent=0, parent_sha256=SHIPPED.sha256, priors={"replenishment": PRIOR | {"a": 4000.0, "b": 20.0}}
)
LAST = START + 40 * DAY


def played(gain: Floats, unknown: float = 0.0, **changed: Any) -> Played:
    served = np.linspace(1.0, 3.0, len(gain))
    given: dict[str, Any] = {
        "domain": "replenishment",
        "of": "SKUs",
        "decisions": np.full(len(gain), 30.0),
        "serving": SHIPPED,
        "served": Outcome(least=served, most=served + unknown),
        "tried": {"1": (BAD, Outcome(least=served + gain, most=served + gain + unknown))},
        "agreed": 1.0,
        "changed": (),
    }
    return Played(**{**given, **changed})


def ruled(given: Played, tmp_path: Path, days: float = 0.0) -> Ruling:
    told = evidence(given, source(tmp_path / "no"), made_at=LAST, since=START, until=LAST)
    told = read(msgspec.json.encode(told))
    better, serving = Named(number=1, sha256=BAD.sha256), Named(number=0, sha256=SHIPPED.sha256)
    return ruling([told], better, serving, now=LAST + round(days * DAY), max_age=14 * DAY)


def some(mean: float, spread: float, n: int = 60) -> Floats:
    return np.random.default_rng(2).normal(mean, spread, n)


def test_a_gain_on_most_skus_promotes_and_is_kept(tmp_path: Path) -> None:
    found = ruled(played(some(1.0, 1.0)), tmp_path)
    assert found.passed
    about = found.about
    assert about is not None
    assert about.standings[0].judged is not None
    kept = evidence(played(some(1.0, 1.0)), source(tmp_path / "no"), made_at=LAST, since=START, until=LAST)
    headline = digest([kept], found, files=["ab"]).domains["replenishment"]
    assert headline.estimator == "simulated"
    assert headline.low is not None
    assert 0.0 < headline.low < (headline.gain or 0.0) < (headline.high or 0.0)
    assert headline.gain == pytest.approx(some(1.0, 1.0).mean() / 30.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (played(some(0.1, 3.0)), "the lower bound must exceed"),
        (played(some(-1.0, 1.0)), "the lower bound must exceed"),
        (played(some(1.0, 1.0, n=19)), "19 SKUs were simulated, 20 are needed"),
        (played(np.where(np.arange(60) < 19, 1.0, 0.0)), "19 of 60 SKUs come out otherwise, 20 are needed"),
        (played(some(1.0, 1.0), agreed=0.5), "in 50% of what can be checked"),
        (played(some(1.0, 1.0), agreed=None), "in none of what can be checked"),
        (played(some(1.0, 1.0), changed=("--shortage-cost",)), "--shortage-cost asks of another business"),
        (played(some(1.0, 1.0), unknown=3.0), "the lower bound must exceed"),
        (played(np.zeros(60)), "shows no gain"),
    ],
)
def test_what_does_not_prove_a_gain_is_refused_in_words(given: Played, words: str, tmp_path: Path) -> None:
    found = ruled(given, tmp_path)
    assert not found.passed
    assert words in " ".join(found.refusals)


def test_an_old_history_is_no_new_evidence(tmp_path: Path) -> None:
    assert "days ago" in " ".join(ruled(played(some(1.0, 1.0)), tmp_path, days=15.0).refusals)


def test_gains_that_are_skewed_have_an_interval_that_leans() -> None:
    x = np.random.default_rng(0).lognormal(0.0, 1.5, 40)
    given = played(x)
    low, high = given.interval(x)
    assert high - x.mean() / 30.0 > 1.5 * (x.mean() / 30.0 - low)
    assert given.interval(np.full(60, 2.0)[:40]) == (pytest.approx(2.0 / 30.0), pytest.approx(2.0 / 30.0))


def test_memory_does_not_grow_with_the_skus() -> None:
    x = np.random.default_rng(1).lognormal(0.0, 1.0, 2_400)
    tracemalloc.start()
    low, high = played(x).interval(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert low < x.mean() / 30.0 < high
    assert most < 90e6  # bytes; all counts at once are 77 MB, and twice that while they are drawn
    drawn = poissons(0, 20, 9)
    assert (np.concatenate([drawn[:, :5], poissons(0, 20, 4, first=5)], axis=1) == drawn).all()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["what-if", *arguments])
    return int(ended.value.code or 0)


def test_orders_of_a_better_version_prove_it_from_a_recorded_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one that serves takes every SKU for a fast mover; the one that ships doesn't."""
    rates = {(f"item{n}", "north"): 0.2 + 0.05 * n for n in range(24)}
    supply = Supply(lead_time_days=2.0, holding_cost=0.05, shortage_cost=1.0)
    recorded = Recording(rule=up_to(6.0), rates=rates, supply=supply, days=20).run()
    versions = message(POLICY_VERSIONS, record_of(BAD, "promote", by="ann", at=START))
    path, report = saved(tmp_path / "h.jsonl", [versions, *recorded]), tmp_path / "evidence.json"
    assert run("stock", "--events", str(path), "--policy", "live,0", "--report", str(report), "--json") == 0
    answer = orjson.loads(capsys.readouterr().out)
    assert answer["policies"]["0"]["cost"] < answer["policies"]["live"]["cost"]
    told = read(report.read_bytes())
    assert told.simulated
    named, serving = Named(number=0, sha256=SHIPPED.sha256), Named(number=1, sha256=BAD.sha256)
    found = ruling([told], named, serving, now=told.made_at, max_age=10_000 * DAY)
    assert found.passed, found.refusals
    gain = answer["policies"]["live"]["cost"] - answer["policies"]["0"]["cost"]
    judged = told.candidates[0].domains["replenishment"]
    assert judged.difference.value == pytest.approx(gain / told.judged, rel=0.05)
    assert answer["against_serving"]["0"]["low"] == judged.difference.low


def test_campaigns_are_too_few_or_bids_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"c{n}" for n in range(3)]
    events = [event for seed, name in enumerate(names) for event in flown(30, tells=True, seed=seed, name=name)]
    path = saved(tmp_path / "h.jsonl", history(events, *(campaign(name) for name in names)))
    assert run("ads", "--events", str(path), "--policy", "0", "--budget-factor", "2") == 0
    shown = capsys.readouterr().out
    assert "3 campaigns were simulated, 20 are needed" in shown
    assert "--budget-factor asks of another business" in shown


def test_what_a_person_can_put_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "h.jsonl", history(flown(10, tells=True)))
    for options, words in (
        (("--policy", "live", "--report", str(tmp_path / "e.json")), "name one in --policy"),
        (("--policy", "0", "--report", str(tmp_path / "e.html")), "name a .json file"),
        (("--policy", "7"), "no such version"),
        (("--policy", "best"), "use some of live, cold-dual-pacing, mirror-pacing, a version's number"),
    ):
        assert run("ads", "--events", str(path), *options) != 0
        assert words in capsys.readouterr().err
