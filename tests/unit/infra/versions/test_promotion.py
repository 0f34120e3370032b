"""The rule by which a version is promoted: its lower bound must exceed what the version that serves earns."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.errors import UserError
from infra.judging.evidence import Candidate, Estimate, Evidence, Named, Range
from infra.report.answer import answer
from infra.versions import promoting
from infra.versions.promotion import Ruling, digest, ruling, told
from policies.version import PolicyVersion
from streams.times import DAY
from tests.unit.report import made
from tests.unit.report.made import BETTER, ELSE, NOW, SERVING, SLATES, candidate, evidence, judged, logged


def ruled(given: Evidence, version: Named = BETTER, serving: Named = SERVING, days: float = 0.0) -> Ruling:
    return ruling([given], version, serving, now=NOW + round(days * DAY), max_age=14 * DAY)


def against(given: Evidence, **options: Any) -> str:
    found = ruled(given, **options)
    assert not found.passed
    return " ".join(found.refusals)


def of(*pairs: tuple[float, float], **changed: Any) -> Evidence:
    """Evidence on the better version, its difference in the first domain by value and reach."""
    (gain, reach) = pairs[0]
    return evidence(candidate(BETTER, {SLATES: judged(gain, reach)}), **changed)


def test_a_lower_bound_above_what_serves_is_promoted() -> None:
    assert ruled(of((0.1, 0.04))).passed
    assert ruled(of((0.1, 0.0999))).passed


def test_a_lower_bound_that_is_not_is_refused_with_both_numbers_and_what_it_would_take() -> None:
    said = against(of((0.1, 0.2)))
    assert "version 7 earns 0.7 a decision at least" in said  # 0.8 + 0.1 - 0.2
    assert "version 4, which serves, 0.8" in said
    assert "About 10,200 more decisions" in said  # (0.2 / 0.1)² = 4 times 3400
    assert not ruled(of((0.1, 0.1))).passed  # it must exceed
    assert "unlikely to show a gain" in against(of((-0.1, 0.05)))
    assert "more than 1,000 times as many" in against(of((0.001, 0.5)))


def test_it_must_be_about_exactly_this_version() -> None:
    given = of((0.1, 0.04))
    for other in (ELSE, Named(number=7, sha256="0" * 64), Named(number=6, sha256=BETTER.sha256)):
        said = against(given, version=other)
        assert f"not about version {other.number} ({other.sha256[:12]})" in said
        assert "it is about version 7 (777777777777)" in said
        assert f"--policy 4,{other.number}" in said
    greedy = Candidate(name="greedy:7", kind="greedy", version=7, sha256=BETTER.sha256, domains={SLATES: judged()})
    assert "it judges no version" in against(evidence(greedy))


def test_it_must_be_held_against_the_version_that_serves_now() -> None:
    assert "version 8 (888888888888) serves now" in against(of((0.1, 0.04)), serving=ELSE)
    assert "doesn't say which version served" in against(of((0.1, 0.04), serving=None))


def test_it_must_be_fresh() -> None:
    given = of((0.1, 0.04))
    assert ruled(given, days=14.0).passed
    assert "ends 14.5 days ago, and may be 14 days old" in against(given, days=14.5)
    assert "made after now" in against(given, days=-2.0)
    assert "doesn't say when" in against(of((0.1, 0.04), made_at=0))
    old = of((0.1, 0.04), range=Range(until=NOW - 20 * DAY))  # made today, of decisions of long ago
    assert "ends 20 days ago" in against(old)


def test_what_was_refused_is_not_promoted_whatever_its_numbers() -> None:
    given = evidence(candidate(BETTER, {SLATES: made.refused("effective sample size 9")}))
    assert "Effective sample size 9." in against(given)


def test_every_domain_that_it_changes_must_be_better_and_no_other_counts() -> None:
    worse, unjudged = judged(-0.1, 0.05), made.refused("it decides without chance")
    both = {SLATES: judged(), "bidding": worse}
    lines = {SLATES: logged(), "bidding": logged()}
    changes = [SLATES, "bidding"]
    assert "bidding: version 7" in against(evidence(candidate(BETTER, both, changes=changes), logged=lines))
    assert ruled(evidence(candidate(BETTER, both, changes=[SLATES]), logged=lines)).passed
    assert ruled(evidence(candidate(BETTER, both | {"bidding": unjudged}), logged=lines)).passed
    missing = evidence(candidate(BETTER, {SLATES: judged()}, changes=changes))
    assert "It changes bidding, and no decision of bidding was judged" in against(missing)
    assert "no gain" in against(evidence(candidate(BETTER, both, changes=[]), logged=lines))


def test_where_several_versions_decided_it_is_held_against_the_serving_one_alone() -> None:
    mixed: dict[Any, Any] = {SLATES: logged({"3": 1000, "4": 2400})}
    assert "add `serving` to --policy" in against(of((0.1, 0.04), logged=mixed))
    for gain, passes in ((0.05, True), (0.07, False)):  # the serving version's own, over the mix
        serving = candidate(SERVING, {SLATES: judged(gain, 0.01)}, name="serving", changes=[])
        given = evidence(serving, candidate(BETTER, {SLATES: judged(0.1, 0.04)}), logged=mixed)
        assert ruled(given).passed == passes
    unsure = candidate(SERVING, {SLATES: made.refused("too few")}, name="serving", changes=[])
    given = evidence(unsure, candidate(BETTER, {SLATES: judged(0.1, 0.04)}), logged=mixed)
    assert "add `serving`" in against(given)
    assert answer(given, given.candidates[1]).said == "can't tell"


def test_an_interval_that_is_missing_carries_nothing() -> None:
    bare = judged(difference=Estimate(value=0.1))
    assert not ruled(evidence(candidate(BETTER, {SLATES: bare}))).passed


def test_the_page_and_the_rule_say_the_same() -> None:
    for gain, reach, said in ((0.1, 0.04, "ship"), (0.1, 0.2, "can't tell"), (-0.1, 0.04, "don't")):
        given = of((gain, reach))
        assert answer(given, given.candidates[0]).said == said
        assert ruled(given).passed == (said == "ship")


def test_what_is_kept_says_what_was_shown_and_what_spoke_against_it() -> None:
    given = of((0.1, 0.04))
    kept = digest([given], ruled(given), files=["f" * 64])
    assert (kept.forced, kept.refused, kept.serving, kept.judged) == (False, [], 4, 3400)
    assert kept.domains[SLATES].low == pytest.approx(0.06)
    line = told(msgspec.to_builtins(kept))
    assert line.startswith("evidence ffffffffffff; recommendation +0.1 (+0.06 to +0.14) on 0.8 a decision, 3,400")
    short = of((0.1, 0.2))
    forced = told(msgspec.to_builtins(digest([short], ruled(short), files=["f" * 64])))
    assert "(forced, though recommendation: version 7 earns 0.7 a decision at least" in forced
    assert told(None) == told("x") == told({"forced": 3}) == ""


def test_several_reports_carry_together_what_none_carries_alone() -> None:
    """What one of them can't tell is left to the others; where two can, the less favourable counts."""
    changes, lines = [SLATES, "bidding"], {SLATES: logged(), "bidding": logged()}

    def report(**domains: Any) -> Evidence:
        return evidence(candidate(BETTER, domains, changes=changes), logged=lines)

    def both(*given: Evidence) -> Ruling:
        return ruling(given, BETTER, SERVING, now=NOW, max_age=14 * DAY)

    slates, bids = report(recommendation=judged(), bidding=made.refused("by chance")), report(bidding=judged())
    assert not both(slates).passed
    assert not both(bids).passed
    for given in ((slates, bids), (bids, slates)):
        found = both(*given)
        assert found.passed
        kept = digest(given, found, files=["a" * 64, "b" * 64])
        assert {name for name, one in kept.domains.items() if one.found == "better"} == set(changes)
        assert told(msgspec.to_builtins(kept)).startswith("evidence aaaaaaaaaaaa and bbbbbbbbbbbb; ")
    for doubtful in (report(bidding=judged(0.1, 0.2)), report(bidding=judged(-0.1, 0.05))):
        assert "bidding: version 7 earns" in " ".join(both(slates, bids, doubtful).refusals)
    other = evidence(candidate(ELSE, {SLATES: judged()}))
    assert "not about version 7" in both(slates, bids, other).refusals[0]
    old = evidence(candidate(BETTER, {"bidding": judged()}, changes=changes), logged=lines, made_at=NOW - 20 * DAY)
    assert "ends 20 days ago" in both(slates, bids, old).refusals[0]


# ---- As a person asks for it -----------------------------------------------------------------------------------------

ONE = PolicyVersion(number=7, parent=4, priors={"bidding": {"log_mu": 0.5}})
NOW_SERVING = PolicyVersion(number=4, parent=0, priors={})


def asked(evidence: Path | None = None, *, force: bool = False, reason: str = "") -> promoting.Asked:
    return promoting.Asked(
        which="7", evidence=[evidence] if evidence else [], max_age="14d", force=force, reason=reason
    )


def test_without_evidence_it_takes_force_and_a_reason() -> None:
    for given in (asked(), asked(reason="it is better")):
        with pytest.raises(UserError, match=r"`tradewind replay --policy 4,7 --json > evidence.json`"):
            promoting.proof(NOW_SERVING, ONE, given)
    with pytest.raises(UserError, match="--force needs --reason"):
        promoting.proof(NOW_SERVING, ONE, asked(force=True, reason=" "))
    kept, why = promoting.proof(NOW_SERVING, ONE, asked(force=True, reason="an outage"))
    assert kept is not None
    assert (kept.forced, why) == (True, "an outage")


def test_the_version_that_serves_may_be_let_go_of_for_a_reason_alone() -> None:
    assert promoting.proof(NOW_SERVING, NOW_SERVING, asked(reason="end the hold")) == (None, "end the hold")


def test_force_overrides_a_refusal_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(msgspec.json.encode(of((0.1, 0.04))))
    with pytest.raises(UserError, match=r"version 7 isn't promoted on .*not about version 7"):
        promoting.proof(NOW_SERVING, ONE, asked(path))
    kept, _ = promoting.proof(NOW_SERVING, ONE, asked(path, force=True, reason="an outage"))
    assert kept is not None
    assert kept.forced
    assert "not about version 7" in kept.refused[0]
    assert len(kept.file_sha256) == 64
