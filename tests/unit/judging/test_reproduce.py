"""A recorded run made again from its inputs, twice the same; what was tampered with has a cause and a name."""

from random import Random

from infra.history.message import Message
from infra.judging.reproduce import reproduced
from policies.version import SHIPPED
from streams.topics import AD_EVENTS, CAMPAIGNS, DECISIONS
from tests.contract import world
from tests.unit.judging.log import agent_of, logged, outputs


def recorded() -> list[Message]:
    """Campaigns, their auctions, and what the bidding agent put out, one after the other."""
    inputs = world.ads(Random(3), 200)
    return sorted([*logged(inputs), *outputs("bidding", inputs, batch=1)], key=lambda one: one.timestamp)


def test_the_run_comes_out_as_it_was_and_twice_the_same() -> None:
    history = recorded()
    found = reproduced(lambda: history, [agent_of("bidding")], {SHIPPED.sha256: SHIPPED})
    decisions = sum(one.topic is DECISIONS for one in history)
    assert (found.decisions, found.equal, found.identical, found.extra) == (decisions, decisions, decisions, 0)
    assert decisions > 5
    assert found.runs_equal
    assert found.first is None


def test_a_decision_that_was_tampered_with_is_named_with_its_field() -> None:
    history = recorded()
    place = next(at for at, one in enumerate(history) if one.topic is DECISIONS)
    raw = (history[place].value or b"").replace(b'"max_bid":', b'"max_bid":9')
    history[place] = history[place]._replace(value=raw)
    found = reproduced(lambda: history, [agent_of("bidding")], {SHIPPED.sha256: SHIPPED})
    assert found.decisions - found.equal == 1
    assert found.first is not None
    assert found.first.field == "action.max_bid"
    assert found.first.logged != found.first.remade


def test_what_the_replay_does_not_make_is_counted_as_such() -> None:
    history = [one for one in recorded() if one.topic is not CAMPAIGNS]
    found = reproduced(lambda: history, [agent_of("bidding")], {SHIPPED.sha256: SHIPPED})
    assert found.equal == 0
    assert found.causes == {"not-made": found.decisions}
    assert any(one.topic is AD_EVENTS for one in history)
