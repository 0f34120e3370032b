"""A moment as a person writes it: RFC 3339, epoch milliseconds, or back from now. One parser for every option."""

import re
from collections.abc import Collection
from typing import Final

from infra.errors import UserError
from streams.times import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, iso, parse_time

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_LAST: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WAYS: Final = "write RFC 3339 (2017-01-31T12:00:00Z), a date, epoch milliseconds, ts=…, last=1h (s, m, h, d, w) or now"


def moment(text: str, now: int) -> int:
    """The moment that `text` names, in epoch ms; `now` is the caller's clock, epoch ms. Raises UserError.

    A date alone is its first moment, UTC.

    >>> moment("2017-01-01T12:00:00Z", now=0) == moment("1483272000000", now=0)
    True
    >>> moment("last=1h", now=1483272000000), moment("now", now=1483272000000)
    (1483268400000, 1483272000000)
    """
    given = text.strip()
    at = now if given.lower() == "now" else _at(given, now)
    if not EARLIEST <= at < LATEST:
        hint = "; it looks like seconds: Tradewind takes milliseconds" if EARLIEST <= at * 1000 < LATEST else ""
        raise UserError(f"the time {text!r} is outside 2000-01-01 … 2100-01-01{hint}")
    return at


def between(since: str | None, until: str | None, now: int) -> tuple[int | None, int | None]:
    """`--from` and `--to` as epoch ms, the latter exclusive; None stays open. Raises UserError."""
    start = None if since is None else moment(since, now)
    end = None if until is None else moment(until, now)
    if start is not None and end is not None and end <= start:
        raise UserError(f"--to {until} is not after --from {since}: nothing lies between them")
    return start, end


def nothing_between(since: int | None, until: int | None, known: Collection[int]) -> str:
    """The sentence for a range with nothing in it, where what there is lies at the times `known` (epoch ms)."""
    asked = " ".join(f"--{name} {iso(at)}" for name, at in (("from", since), ("to", until)) if at is not None)
    if not known:
        return f"nothing lies in {asked}: there are no records at all"
    return (
        f"nothing lies in {asked}: what there is was logged from {iso(min(known))} to {iso(max(known))}, "
        "so choose a time in between"
    )


def _at(given: str, now: int) -> int:
    kind, found, rest = given.partition("=")
    if found and kind.lower() == "last":
        return now - _duration(rest.strip(), given)
    if found and kind.lower() == "ts":
        given = rest.strip()
    if _NUMBER.fullmatch(given):
        return int(given) if len(given) < 20 else LATEST
    try:
        return parse_time(f"{given}T00:00:00Z" if _DATE.fullmatch(given) else given.upper())
    except (ValueError, OverflowError) as error:
        detail = "it has no offset (end it with Z or ±hh:mm): " if "no offset" in str(error) else ""
        raise UserError(f"the time {given!r} can't be read: {detail}{_WAYS}") from error


def duration(text: str) -> int:
    """A length of time in ms. Raises UserError.

    >>> duration("14d") == 14 * DAY
    True
    """
    found = _length(text.strip())
    if found is None:
        raise UserError(f"the length of time {text!r} can't be read: write 12h or 14d (s, m, h, d, w)")
    return found


def _duration(text: str, given: str) -> int:
    found = _length(text)
    if found is None:
        raise UserError(f"the time {given!r} can't be read: {_WAYS}")
    return found


def _length(text: str) -> int | None:
    matched = _LAST.fullmatch(text.lower())
    return None if matched is None else round(float(matched[1]) * _UNITS[matched[2]])
