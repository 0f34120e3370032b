"""The table of docs/scale.md: reckoned from the coefficients beside it, and growing as it should."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from tests.benchmarks import sizing
from tests.benchmarks.sizing import Assumptions, Size, kept, page, section, size

GIVEN = Assumptions()


def test_the_page_is_made_of_the_coefficients() -> None:
    written = sizing.PAGE.read_text(encoding="utf-8")
    assert written == page(written, section(kept(), GIVEN)), "python -m tests.benchmarks.sizing --write"


def sizes(given: Assumptions = GIVEN) -> Sequence[Size]:
    return [size(events, kept(), given) for events in sizing.VOLUMES]


def test_more_events_never_take_less_and_never_cost_more_each() -> None:
    made = sizes()
    for less, more in pairwise(made):
        assert less.workers <= more.workers
        assert less.partitions <= more.partitions
        assert less.changelog_gib < more.changelog_gib
        assert less.cost >= more.cost
    assert all(2 * each.workers <= each.partitions for each in made)


def test_workers_follow_processor_time_and_the_limit_of_a_restore() -> None:
    by = kept()
    for each in sizes():
        cores = each.events_a_day / 86_400 * GIVEN.peak * by.event_us * 1e-6
        assert cores <= each.workers * GIVEN.load * 1.000001
        assert each.restore_s <= GIVEN.restore_limit_s * 1.000001
    patient = sizes(msgspec.structs.replace(GIVEN, restore_limit_s=1e9, load=1.0, peak=1.0))
    assert patient[-1].workers == -(-(10**9 / 86_400 * by.event_us * 1e-6) // 1)


def test_twice_the_price_is_twice_the_cost() -> None:
    dear = sizes(msgspec.structs.replace(GIVEN, core_hour=2 * GIVEN.core_hour, gib_hour=2 * GIVEN.gib_hour))
    for one, other in zip(sizes(), dear, strict=True):
        assert other.cost == pytest.approx(2 * one.cost)


def test_a_limit_that_no_restart_keeps_is_refused() -> None:
    with pytest.raises(ValueError, match="a restart alone takes"):
        size(1_000, kept(), msgspec.structs.replace(GIVEN, restore_limit_s=1.0))


@pytest.mark.parametrize("bad", [["--peak", "0"], ["--core-hour", "-1"], ["--load", "inf"], ["--load", "nan"]])
def test_an_assumption_out_of_reason_is_refused(bad: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sizing.parse(bad)
    assert "is not above 0" in capsys.readouterr().err


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page needs a line"):
        page("# Scale", "")
