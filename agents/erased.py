"""Whom the shop was asked to forget, for a while, and without saying who: a hash of the id, and a time.

It tells an old event that comes again from a new one of the same person, who starts anew.
"""

from hashlib import blake2b
from typing import Final

import msgspec

from agents.contract import Draft
from agents.fold import set_timer
from agents.identity import decision_id
from streams.records import Erasure
from streams.seen import Seen
from streams.times import DAY

MEMORY: Final = 30 * DAY  # event time for which a mark is kept
REQUESTS: Final = 8  # of one user, told from copies of them

_END: Final = "\x1f"  # of a user's id in the name of a timer; a mark's timer has none before it


class Erased(msgspec.Struct):
    """The mark of one user: events that occurred up to `until` (epoch ms) don't count, and which requests were met."""

    until: int = 0
    requests: Seen = msgspec.field(default_factory=Seen)


def mark(draft: Draft, asked: Erasure, known_until: int) -> bool:
    """Note a request; False for a copy of one. `known_until` is the time of the newest event kept of that user."""
    name = _hash(asked.user_id)
    erased = draft.edit(f"erased/{name}", Erased)
    if erased.requests.admit(asked.erasure_id, asked.occurred_at, REQUESTS) == "duplicate":
        return False
    erased.until = max(erased.until, int(asked.occurred_at), known_until)
    set_timer(draft, _END + name, erased.until + MEMORY)
    return True


def erased_until(draft: Draft, user_id: str) -> int | None:
    """Up to when the events of this user don't count; None where nobody asked, or it is too long ago."""
    erased = draft.find(f"erased/{_hash(user_id)}", Erased)
    return erased.until if erased is not None else None


def expire(draft: Draft, timer: str, at: int) -> bool:
    """Remove a mark whose time is over. False where the timer is none of a mark."""
    user_id, _, name = timer.rpartition(_END)
    if user_id:
        return False
    erased = draft.find(f"erased/{name}", Erased)
    if erased is not None and erased.until + MEMORY <= at:
        draft.remove(f"erased/{name}")
    return True


def unlearning_id(asked: Erasure) -> str:
    """The name of the experience by which the learner is told."""
    return decision_id("erasure", asked.erasure_id)


def _hash(user_id: str) -> str:
    return blake2b(user_id.encode(), digest_size=16).hexdigest()
