"""A moment is read the same wherever it is given, and what can't be one is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import UserError
from infra.history.times import between, moment
from streams.times import DAY, EARLIEST, HOUR, LATEST, iso

NOW = 1_483_272_000_000  # 2017-01-01T12:00Z


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now", NOW),
        (" NOW ", NOW),
        ("2017-01-01T12:00:00Z", NOW),
        ("2017-01-01t14:00:00.000+02:00", NOW),
        ("2017-01-01", NOW - 12 * HOUR),
        ("ts=2017-01-01T12:00:00Z", NOW),
        ("ts=1483272000000", NOW),
        ("1483272000000", NOW),
        ("last=1h", NOW - HOUR),
        ("last=90m", NOW - 90 * 60_000),
        ("last=2d", NOW - 2 * DAY),
        ("last=1.5w", NOW - 21 * DAY // 2),
        ("LAST=30S", NOW - 30_000),
    ],
)
def test_every_way_to_write_a_moment(text: str, at: int) -> None:
    assert moment(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write RFC 3339"),
        ("yesterday", "write RFC 3339"),
        ("last=", "write RFC 3339"),
        ("last=1y", "write RFC 3339"),
        ("last=-1h", "write RFC 3339"),
        ("2017-13-01", "write RFC 3339"),
        ("2017-01-01T12:00:00", "no offset"),
        ("1483272000", "looks like seconds"),
        ("-5", "outside 2000"),
        ("last=9999w", "outside 2000"),
        ("9" * 40, "outside 2000"),
    ],
)
def test_what_is_no_moment_says_why(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        moment(text, NOW)


@given(st.integers(EARLIEST, LATEST - 1))
def test_a_moment_printed_is_read_again(at: int) -> None:
    assert moment(str(at), NOW) == at
    assert moment(iso(at), NOW) == at // 1000 * 1000


def test_a_range_must_have_something_in_it() -> None:
    assert between("last=1h", None, NOW) == (NOW - HOUR, None)
    assert between(None, "now", NOW) == (None, NOW)
    with pytest.raises(UserError, match="--to last=2h is not after --from last=1h"):
        between("last=1h", "last=2h", NOW)
