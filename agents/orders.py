"""Orders: each order in, its lines re-keyed by SKU and location out. It decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.fold import fold
from policies.version import PolicyVersion
from streams.records import Order, OrderLine, SkuDemand
from streams.seen import Seen
from streams.topics import ORDERS, SKU_DEMAND

NAME: Final = "orders"
BUCKETS: Final = 256  # order ids are remembered by hash: a batch rewrites a few small entries, not one large one


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersAgent:
    """Sends each order line to the partition of its SKU, once, however often its order comes.

    The lines' times are their order's. A line of quantity 0 is no demand.
    """

    name: str = NAME
    reads: tuple[Any, ...] = (ORDERS,)
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = (SKU_DEMAND,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(draft=Draft(state.entries, state.memo))
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=lambda name, at: None)
        return work.done(end)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    def take(self, given: Input, now: int) -> None:
        order: Order = given.record
        seen = self.draft.edit(f"seen/{crc32(order.order_id.encode()) % BUCKETS}", Seen)
        verdict = seen.admit(order.order_id, order.occurred_at)
        if verdict != "new":
            self.ignore(verdict)
            return
        for place, line in enumerate(order.lines):
            if line.quantity > 0:
                self.put(SKU_DEMAND, _rekey(order, line, place))


def _rekey(order: Order, line: OrderLine, place: int) -> SkuDemand:
    """One line as demand. Its event id names its place in the order, so that a copy of the order names it again."""
    return SkuDemand(
        event_id=f"{order.order_id}:{place}",
        order_id=order.order_id,
        item_id=line.item_id,
        location=line.location,
        quantity=line.quantity,
        occurred_at=order.occurred_at,
        price=line.price,
    )


def build() -> Agent:
    return OrdersAgent()
