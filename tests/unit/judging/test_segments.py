"""Segments are the same figures however a history is dealt, also where there are more names than are kept."""

from random import Random

import pytest

from infra.judging import assemble
from infra.judging.tally import OTHER, Strands
from tests.unit.judging.counting import one_decision

NAMES = [f"category {n}" for n in range(40)]


def counted(names: list[str]) -> Strands:
    """One decision of each name, as often as it stands there."""
    made, one = Strands(), one_decision()
    for name in names:
        made.merge(Strands(segments={"category": {name: one}}))
    return made


def told(strands: Strands) -> dict[str, int]:
    return {name: strand.decisions for name, strand in strands.segments["category"].items()}


def test_a_named_segment_is_whole_however_the_history_is_dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.judging.tally.MOST_NAMES", 8)
    random = Random(1)
    drawn = [NAMES[min(int(random.expovariate(0.1)), 39)] for _ in range(2000)]
    whole = told(counted(drawn))
    assert len(whole) == 9
    assert sum(whole.values()) == 2000
    for name, many in whole.items():
        assert name == OTHER or many == drawn.count(name)
    for shares in (2, 7):
        dealt = Strands()
        for share in range(shares):
            dealt.merge(counted(drawn[share::shares]))
        assert told(dealt) == whole
    assert told(counted(drawn[::-1])) == whole


def test_what_is_not_among_the_largest_is_shown_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.judging.assemble.MOST_SHOWN", 2)
    strands = counted([*["tea"] * 5, *["milk"] * 4, *["salt"] * 3, "rice", OTHER])
    shown = [(one.name, one.decisions) for one in assemble.segments(strands)]
    assert shown == [("other", 5), ("tea", 5), ("milk", 4)]
