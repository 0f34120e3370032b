"""Topic → agent → topic, on one page; and how each agent is tied to a Faust app. Only this file knows Faust."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from inspect import signature
from typing import Any, Final

import faust

from agents.contract import Agent
from streams.topics import (
    AD_EVENTS,
    BID_ADJUSTMENTS,
    CAMPAIGNS,
    CATALOG,
    DECISIONS,
    ERASURES,
    EXPERIENCES,
    ITEM_ACTIVITY,
    ITEM_STATS,
    ORDERS,
    OUTCOMES,
    POLICY_VERSIONS,
    PRICE_CHANGES,
    PRICE_REVIEWS,
    RECOMMENDATIONS,
    REPLENISHMENT_ORDERS,
    SKU_DEMAND,
    STOCK_UPDATES,
    USER_EVENTS,
    Topic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """An agent's place: what it reads, what it watches whole, what it emits."""

    name: str
    reads: tuple[Topic, ...]
    emits: tuple[Topic, ...]
    watches: tuple[Topic, ...] = ()


_LEARNED_FROM: Final = (DECISIONS, OUTCOMES, EXPERIENCES)

_TABLE: Final = (
    Flow(
        name="recommendation",
        reads=(USER_EVENTS, ERASURES),
        emits=(RECOMMENDATIONS, ITEM_ACTIVITY, *_LEARNED_FROM),
        watches=(CATALOG, ITEM_STATS, STOCK_UPDATES),
    ),
    Flow(name="items", reads=(ITEM_ACTIVITY,), emits=(ITEM_STATS,)),
    Flow(name="orders", reads=(ORDERS,), emits=(SKU_DEMAND,)),
    Flow(
        name="replenishment",
        reads=(SKU_DEMAND, STOCK_UPDATES),
        emits=(REPLENISHMENT_ORDERS, *_LEARNED_FROM),
        watches=(CATALOG,),
    ),
    Flow(name="bidding", reads=(AD_EVENTS, CAMPAIGNS), emits=(BID_ADJUSTMENTS, *_LEARNED_FROM)),
    Flow(
        name="pricing",
        reads=(PRICE_REVIEWS,),
        emits=(PRICE_CHANGES, DECISIONS, OUTCOMES, EXPERIENCES),
        watches=(CATALOG,),
    ),
    Flow(name="learner", reads=(EXPERIENCES, POLICY_VERSIONS), emits=(POLICY_VERSIONS,)),
    Flow(name="catalog", reads=(CATALOG,), emits=()),
)
FLOWS: Final[Mapping[str, Flow]] = {flow.name: flow for flow in _TABLE}
SERVING: Final = tuple(name for name in FLOWS if name != "learner")  # a worker's; learning has a process of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOptions:
    """What the settings say about the agents, in event time."""

    refresh_interval_ms: int
    attribution_window_ms: int
    review_ms: int


def build(name: str, options: AgentOptions) -> Agent:
    """One agent by its name, with those options that its `build` asks for, by keyword.

    Its module is imported only now: a worker pays for what it runs.
    """
    make = import_module(f"agents.{name}").build
    given = asdict(options)
    agent: Agent = make(**{wanted: given[wanted] for wanted in signature(make).parameters})
    return agent


def attach(
    app: faust.App,
    agents: Iterable[Agent],
    *,
    topic_name: Callable[[str], str],
    schema: Any,
    accept: Callable[[Any], Awaitable[None]],
) -> None:
    """Tie each agent to the app: whatever arrives on its topics is handed to `accept`, batch by batch."""
    faust_app: Any = app  # Faust's own types are incomplete
    for agent in agents:
        # Acknowledging is the transaction's business, not Faust's.
        topic = faust_app.topic(*(topic_name(read.name) for read in agent.reads), schema=schema, acks=False)
        faust_app.agent(topic, name=agent.name)(_pass_on(accept))


def _pass_on(accept: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def handle(stream: Any) -> None:
        async for batch in stream:
            await accept(batch)

    return handle
