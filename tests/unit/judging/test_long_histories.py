"""By time, a long history takes no more room than a short one, and its curve is the same however it was dealt."""

from random import Random

import pytest

from infra.judging import assemble
from infra.judging.tally import Strands
from streams.times import DAY
from tests.unit.judging.counting import one_decision

MOST = 16


def counted(days: list[int]) -> Strands:
    """One decision on each day, as often as it stands there."""
    made, one = Strands(), one_decision()
    for day in days:
        made.merge(Strands(days={day: one}))
    return made


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.judging.tally.MOST_DAYS", MOST)
    monkeypatch.setattr("infra.judging.assemble.POINTS", 5)


def test_days_are_put_together_when_there_are_many() -> None:
    short, long = counted(list(range(17_000, 17_016))), counted(list(range(17_000, 17_100)))
    assert (short.width, len(short.days)) == (1, 16)
    assert (long.width, len(long.days)) == (8, 13)
    assert sum(one.decisions for one in long.days.values()) == 100


def test_the_curve_is_the_same_however_a_history_is_dealt() -> None:
    random = Random(2)
    days = [17_000 + int(random.expovariate(0.02)) for _ in range(500)]
    whole = counted(days)
    curve = assemble.curve(whole)
    assert len(whole.days) <= MOST
    assert 1 < len(curve) <= 5
    for point in curve:
        assert point.decisions == sum(point.since <= day * DAY < point.until for day in days)
    for shares in (2, 7):
        dealt = Strands()
        for share in range(shares):
            dealt.merge(counted(days[share::shares]))
        assert (dealt.width, assemble.curve(dealt)) == (whole.width, curve)
    in_order = Strands()
    for part in (sorted(days)[:100], sorted(days)[100:]):
        in_order.merge(counted(part))
    assert assemble.curve(in_order) == curve
