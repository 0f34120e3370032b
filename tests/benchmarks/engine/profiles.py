"""What users' entries look like: real ones, as they are after 1, 2, 4 … 32 visits of ten purchases or so each.

As many of each: a shop of a million users has few regulars and many who came once or twice.
"""

from collections import Counter
from functools import cache
from typing import Final

from agents.contract import Input, State
from policies.version import SHIPPED
from streams.codec import decode
from streams.topics import USER_EVENTS
from streams.views import Views
from tests.benchmarks.engine.agents import agent_of
from tests.benchmarks.engine.job import Job, Pair, pairs, views
from tests.benchmarks.engine.place import Placed

VISITS: Final = (1, 2, 4, 8, 16, 32)
USER: Final = "user/"  # how the entry of a user is keyed
_BATCH: Final = 500


@cache
def shared_views(job: Job) -> Views:
    """The views, made once."""
    return views(job)


def inputs(events: list[Pair], first: int = 0) -> list[Input]:
    """Events as a step is given them."""
    made: list[Input] = []
    for offset, (key, value) in enumerate(events, first):
        name, record = decode(USER_EVENTS, key, value, 1 << 42)
        made.append(Input(USER_EVENTS, 0, offset, name, record))
    return made


@cache
def real_entries(job: Job) -> list[bytes]:
    """Users' entries, encoded: those after one visit, after two, and so on in turn."""
    agent = agent_of("recommendation", Placed())
    entries: dict[str, bytes] = {}
    visits: Counter[str] = Counter()
    found: dict[int, list[bytes]] = {count: [] for count in VISITS}
    events = inputs(pairs(job.events))
    now = 0
    for start in range(0, len(events), _BATCH):
        batch = events[start : start + _BATCH]
        for user in [given.key for given in batch if given.record.type == "request"]:
            if visits[user] in found and USER + user in entries:  # the visit before is over
                found[visits[user]].append(entries[USER + user])
            visits[user] += 1
        step = agent.step(State(entries, shared_views(job)), batch, SHIPPED, now)
        now = step.now
        for key, raw in step.writes.items():
            if raw is None:
                entries.pop(key, None)
            else:
                entries[key] = raw
    fewest = min(map(len, found.values()))
    return [entry for row in zip(*(each[:fewest] for each in found.values()), strict=True) for entry in row]
