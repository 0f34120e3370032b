"""The peers do the same work: the product's versions, the product's step, the product's decisions."""

from pathlib import Path
from random import Random

import pytest

from agents.contract import Input, State
from policies.version import SHIPPED
from streams.codec import encode
from streams.topics import DECISIONS, RECOMMENDATIONS, USER_EVENTS
from tests.benchmarks.engine import relock
from tests.benchmarks.engine.peers.one import OneByOne
from tests.contract import world

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("peer", relock.PEERS)
def test_a_peers_lock_has_the_products_own_versions(peer: str) -> None:
    ours = set(relock.pins(ROOT / "requirements.lock", relock.STEP))
    assert {pin.partition("==")[0] for pin in ours} == {"river", "torch", "numpy", "msgspec", "orjson", "safetensors"}
    assert set(relock.pins(relock.lock_of(peer), relock.STEP)) == ours


@pytest.mark.parametrize("peer", relock.PEERS)
def test_a_peers_lock_names_no_host(peer: str) -> None:
    assert "://" not in relock.lock_of(peer).read_text()


def test_one_by_one_the_same_slates_are_chosen() -> None:
    events = [given for given in world.user_events(Random(5), 300) if given.topic is USER_EVENTS]
    events.sort(key=lambda given: given.record.occurred_at)  # each user's own time is then as good as the shop's
    one = OneByOne(views=world.views())
    whole = one.agent.step(State({}, world.views()), events, SHIPPED, 0)
    wanted = {encode(output.record) for output in whole.outputs if output.topic is RECOMMENDATIONS}
    assert len(wanted) > 30
    assert chosen(one, events, RECOMMENDATIONS.name) == wanted
    assert len(chosen(one, events, DECISIONS.name)) == len(wanted)


def chosen(one: OneByOne, events: list[Input], topic: str) -> set[bytes]:
    """What a peer puts out on a topic."""
    users: dict[str, bytes] = {}
    found: set[bytes] = set()
    for given in events:
        value = encode(given.record)
        made, users[given.key] = one.step(
            users.get(given.key), given.key.encode(), value, 1 << 42, given.partition, given.offset
        )
        found |= {encode(output.record) for output in made if output.topic.name == topic}
    return found
