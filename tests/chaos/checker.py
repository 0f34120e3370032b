"""The checks, named after Jepsen's: what was seen and what lies in the log, against what must have come of it."""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, pairwise
from typing import Any, Final

import msgspec
import orjson

from tests.chaos.onlooker import Sighting
from tests.chaos.reference import Account, Expected, Place

_SHOWN: Final = 5  # examples of each finding


@dataclass(slots=True, kw_only=True)
class Findings:
    """How often each rule was broken; all zero in a sound run. `examples` says where."""

    lost: int = 0  # an input with no action, no dead letter and no reason to be left aside
    duplicate: int = 0  # an input with more than one
    aborted_read: int = 0  # seen by a read_committed reader, and not in the log in the end
    skipped: int = 0  # in the log, and passed over by a reader that saw what came before and after it
    non_monotonic: int = 0  # offsets or totals that went back before the reader's eyes
    unseen: int = 0  # in the log, and still not seen once all had healed
    wrong: int = 0  # an action or an entry of state other than an undisturbed run makes
    examples: list[str] = field(default_factory=list[str])

    def note(self, rule: str, found: Sequence[object]) -> None:
        setattr(self, rule, getattr(self, rule) + len(found))
        self.examples += [f"{rule}: {one}"[:500] for one in found[:_SHOWN]]

    def counts(self) -> dict[str, int]:
        """The counts by rule."""
        return {rule: count for rule, count in asdict(self).items() if rule != "examples"}

    def sound(self) -> bool:
        return not any(self.counts().values())


def check_reading(findings: Findings, seen: Sequence[Sighting], final: Sequence[Sighting]) -> None:
    """What a reader saw while it happened, against the log as it is in the end."""
    there = set(final)
    findings.note("aborted_read", [one for one in seen if one not in there])
    by_place = _grouped(seen)
    for place, records in _grouped(final).items():
        offsets = [one.offset for one in by_place.get(place, [])]
        findings.note("non_monotonic", [(place, a, b) for a, b in pairwise(offsets) if b <= a])
        known, last = set(offsets), max(offsets, default=-1)
        missed = [one for one in records if one.offset not in known]
        findings.note("skipped", [one for one in missed if one.offset < last])
        findings.note("unseen", [one for one in missed if one.offset > last])


def _grouped(records: Iterable[Sighting]) -> dict[tuple[str, int], list[Sighting]]:
    def place(one: Sighting) -> tuple[str, int]:
        return one.topic, one.partition

    return {where: list(ours) for where, ours in groupby(sorted(records, key=place), key=place)}


def check_once(findings: Findings, wanted: Iterable[object], found: Iterable[object]) -> None:
    """Each of the wanted is found once; what nobody wanted is wrong."""
    must, have = Counter(wanted), Counter(found)
    findings.note("lost", list((must - have).elements()))
    findings.note("duplicate", [one for one in (have - must).elements() if one in must])
    findings.note("wrong", [one for one in (have - must).elements() if one not in must])


def check_bookings(findings: Findings, expected: Expected, final: Sequence[Sighting]) -> None:
    """Every booking is there once, in the order of its partition, and says what the reference says."""
    said = {place: [orjson.loads(one.value or b"") for one in ours] for place, ours in _grouped(final).items()}
    everything = [booking for ours in expected.bookings.values() for booking in ours]
    ids = [booking["event_id"] for ours in said.values() for booking in ours]
    check_once(findings, [booking["event_id"] for booking in everything], ids)
    by_id = {booking["event_id"]: booking for booking in everything}
    flat = [booking for ours in said.values() for booking in ours]
    findings.note("wrong", [(one, by_id[one["event_id"]]) for one in flat if one != by_id.get(one["event_id"], one)])
    for ours in said.values():
        places = [booking["place"] for booking in ours]
        findings.note("non_monotonic", [(a, b) for a, b in pairwise(places) if b <= a])


def check_letters(findings: Findings, expected: Expected, topic: str, final: Sequence[Sighting]) -> None:
    """Every message that can't be read has one dead letter, with its bytes as they were."""

    def raw(text: str | None) -> bytes | None:
        return None if text is None else b64decode(text)

    letters = [orjson.loads(one.value or b"") for one in final]
    places = [Place(letter["partition"], letter["offset"]) for letter in letters]
    check_once(findings, list(expected.letters), places)
    findings.note("wrong", [letter for letter in letters if letter["topic"] != topic])
    pairs = zip(places, letters, strict=True)
    findings.note(
        "wrong",
        [
            letter
            for place, letter in pairs
            if place in expected.letters and (raw(letter["key"]), raw(letter["value"])) != expected.letters[place]
        ],
    )


def check_state(findings: Findings, expected: Expected, changelog: Sequence[Any]) -> None:
    """The last value of every account in the changelog is the reference's."""
    last = {record.key.decode(): record.value for record in changelog}
    accounts = {key.removeprefix("account/"): raw for key, raw in last.items() if key.startswith("account/")}
    found = {user: _told(msgspec.msgpack.decode(raw)) for user, raw in accounts.items() if raw is not None}
    wanted = {user: _account(account) for user, account in expected.accounts.items()}
    users = found.keys() | wanted.keys()
    findings.note(
        "wrong", [(user, found.get(user), wanted.get(user)) for user in users if found.get(user) != wanted.get(user)]
    )


_FIELDS: Final = ("n", "total", "belief", "chain", "newest")


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in _FIELDS}


def _account(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in _FIELDS}
