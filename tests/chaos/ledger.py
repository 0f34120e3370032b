"""The agent of the fault tests, and the process that runs it: `python tests/chaos/ledger.py`.

Each event of a user is booked once, and each booking says how the user's account stands after it: what was lost, done
twice or done in another order shows in every later booking.
"""

import argparse
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.contract import Draft, Input, Output, State, Step
from infra import logs, provision, settings
from infra.errors import UserError
from infra.serving.app import group_of
from infra.serving.worker import serve
from policies.version import PolicyVersion
from streams.records import UserEvent
from streams.seen import Seen
from streams.times import HOUR, EventTime
from streams.topics import USER_EVENTS, Topic
from tests.chaos import doom

NAME: Final = "ledger"
LATE_MS: Final = HOUR  # an event so far behind its user's newest is left aside
REMEMBERED: Final = 10_000  # event ids of one user: more than any test sends
KEEP: Final = 0.9  # how much of the belief an event leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """How a user's account stands after one event; `place` counts the bookings of the whole partition."""

    event_id: str
    user_id: str
    n: int
    total: float
    belief: float
    chain: str
    place: int
    occurred_at: EventTime
    pad: str = ""


BOOKINGS: Final = Topic(name="bookings", record=Booking, key=lambda x: x.user_id, role="action")


class Account(msgspec.Struct):
    """What is known of one user: sums, a belief that depends on the order, and a hash over all events so far."""

    n: int = 0
    total: float = 0.0
    belief: float = 0.0
    chain: str = ""
    newest: int = 0
    seen: Seen = msgspec.field(default_factory=Seen)
    ballast: bytes = b""  # as much as an event asks for, and can't be compressed


class Page(msgspec.Struct):
    """How many bookings a partition has."""

    n: int = 0


@dataclass(frozen=True)
class Ledger:
    """Books every event that is neither a copy nor late."""

    name: str = NAME
    reads: tuple[Topic, ...] = (USER_EVENTS,)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (BOOKINGS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:  # noqa: ARG002
        draft = Draft(state.entries)
        outputs: list[Output] = []
        ignored: dict[str, int] = {}
        for given in batch:
            now = max(now, given.record.occurred_at)
            account = draft.edit(f"account/{given.key}", Account)
            why = _refused(account, given.record)
            if why is None:
                page = draft.edit("page", Page)
                page.n += 1
                outputs.append(Output(BOOKINGS, _book(account, given.record, page.n)))
            else:
                ignored[why] = ignored.get(why, 0) + 1
        return Step(writes=draft.writes(), outputs=outputs, now=now, ignored=ignored)


def _refused(account: Account, event: UserEvent) -> str | None:
    if event.occurred_at < account.newest - LATE_MS:
        return "late"
    verdict = account.seen.admit(event.event_id, event.occurred_at, generation=REMEMBERED)
    return None if verdict == "new" else verdict


def _book(account: Account, event: UserEvent, place: int) -> Booking:
    amount = event.quantity or 0.0
    account.n += 1
    account.total += amount
    account.belief = KEEP * account.belief + (1 - KEEP) * amount
    account.chain = blake2b((account.chain + event.event_id).encode(), digest_size=8).hexdigest()
    account.newest = max(account.newest, int(event.occurred_at))
    account.ballast = Random(event.event_id).randbytes(int(event.context.get("ballast", len(account.ballast))))
    return Booking(
        event_id=event.event_id,
        user_id=event.user_id,
        n=account.n,
        total=account.total,
        belief=account.belief,
        chain=account.chain,
        place=place,
        occurred_at=event.occurred_at,
        pad="x" * int(event.context.get("pad", 0)),
    )


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--at", type=doom.parse, default=None)
    asked.add_argument("--largest-file", type=int, default=None)
    given = asked.parse_args()
    loaded = settings.load()
    logs.configure("INFO")
    doom.arrange(given.at)
    if given.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    cast: list[Any] = [Ledger()]
    try:
        provision.ensure(loaded, cast)
        group = group_of(loaded, [NAME], [NAME])
        serve(loaded, cast, group=group, announce=lambda text: print(text, flush=True))  # noqa: T201
    except UserError as error:  # as `tradewind` itself says it
        sys.exit(f"tradewind: {error}")


if __name__ == "__main__":
    main()
