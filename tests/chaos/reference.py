"""What an undisturbed run makes of the same log, worked out anew from the raw messages; none of the worker's code."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NamedTuple

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_EARLIEST: Final = 946_684_800_000
_LATEST: Final = 4_102_444_800_000
_LARGEST: Final = 1_000_000


class Place(NamedTuple):
    """Where a message lies."""

    partition: int
    offset: int


@dataclass(slots=True)
class Account:
    """One user's account."""

    n: int = 0
    total: float = 0.0
    belief: float = 0.0
    chain: str = ""
    newest: int = 0
    ids: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Expected:
    """What must have come of the log: bookings by partition in order, dead letters by place, accounts, and the rest."""

    bookings: dict[int, list[dict[str, Any]]] = field(default_factory=dict[int, list[dict[str, Any]]])
    letters: dict[Place, tuple[bytes | None, bytes | None]] = field(
        default_factory=dict[Place, tuple[bytes | None, bytes | None]]
    )
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    left_aside: int = 0  # copies, and events that came too late

    @property
    def booked(self) -> int:
        return sum(map(len, self.bookings.values()))


def expect(log: Iterable[Any], *, bad: frozenset[bytes] = frozenset()) -> Expected:
    """Walk the raw input messages, each partition in its order. `bad`: values known to be unreadable."""
    made = Expected()
    for raw in log:
        if _unreadable(raw, bad):
            made.letters[Place(raw.partition, raw.offset)] = (raw.key, raw.value)
        else:
            _book(made, raw.partition, json.loads(raw.value))
    return made


def _unreadable(raw: Any, bad: frozenset[bytes]) -> bool:
    if not raw.key or raw.value is None or raw.value in bad or len(raw.value) > _LARGEST:
        return True
    event = json.loads(raw.value)
    if raw.key.decode() != event["user_id"]:
        return True
    at = event["occurred_at"]
    return not _EARLIEST <= at < _LATEST or at > raw.timestamp + _DAY_MS


def _book(made: Expected, partition: int, event: dict[str, Any]) -> None:
    account = made.accounts.setdefault(event["user_id"], Account())
    if event["occurred_at"] < account.newest - _HOUR_MS or event["event_id"] in account.ids:
        made.left_aside += 1
        return
    amount = float(event.get("quantity", 0.0))
    account.ids.add(event["event_id"])
    account.n += 1
    account.total += amount
    account.belief = 0.9 * account.belief + (1 - 0.9) * amount
    account.chain = blake2b((account.chain + event["event_id"]).encode(), digest_size=8).hexdigest()
    account.newest = max(account.newest, event["occurred_at"])
    page = made.bookings.setdefault(partition, [])
    page.append(
        {
            "event_id": event["event_id"],
            "user_id": event["user_id"],
            "n": account.n,
            "total": account.total,
            "belief": account.belief,
            "chain": account.chain,
            "place": len(page) + 1,
            "occurred_at": event["occurred_at"],
            "pad": "x" * event.get("context", {}).get("pad", 0),
        }
    )
