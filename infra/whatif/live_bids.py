"""A flight that the live bidding agent paces: its own step, an event at a time. No clock, no broker."""

from msgspec.structs import replace

from agents.bidding import BiddingAgent
from agents.contract import Input, Output, State
from infra.whatif.flights import Account, Flight, Offer
from policies.version import PolicyVersion
from streams.records import AdEvent, BidAdjustment
from streams.topics import AD_EVENTS, BID_ADJUSTMENTS, CAMPAIGNS, Topic
from streams.views import Views


class Pacer:
    """The agent with its entries, and the adjustment that is in force: heard of at once."""

    def __init__(self, flight: Flight, policy: PolicyVersion) -> None:
        self._flight, self._policy = flight, policy
        self._agent, self._views = BiddingAgent(), Views()
        self._entries: dict[str, bytes] = {}
        self._offset = 0
        self.current: BidAdjustment | None = None

    def take(self, topic: Topic, record: object) -> None:
        """One record, as it would lie in the log."""
        name = self._flight.campaign.campaign_id
        self._step([Input(topic, 0, self._offset, name, record)], 0)
        self._offset += 1

    def wake(self, at: int) -> None:
        """Let time pass up to a moment, epoch ms."""
        self._step([], at)

    def bid(self, value: float) -> float:
        now = self.current
        if now is None or now.max_bid < self._flight.campaign.bid_min:
            return 0.0
        return min(now.max_bid, self._flight.bounded(now.bid_multiplier * value))

    def _step(self, batch: list[Input], now: int) -> None:
        done = self._agent.step(State(self._entries, self._views), batch, self._policy, now)
        for key, raw in done.writes.items():
            if raw is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = raw
        self._hear(done.outputs)

    def _hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            if output.topic is BID_ADJUSTMENTS:
                self.current = output.record


def fly(flight: Flight, policy: PolicyVersion, budget: float) -> Account:
    """The whole flight under a budget. What isn't an auction is told as it was recorded."""
    account, pacer = Account(budget=budget), Pacer(flight, policy)
    pacer.take(CAMPAIGNS, replace(flight.campaign, budget=budget))
    news: list[tuple[int, int, Offer | AdEvent]] = [(int(one.event.occurred_at), 1, one) for one in flight.offers]
    news += [(int(event.occurred_at), 0, event) for event in flight.others]
    woken = False
    for at, _, one in sorted(news, key=lambda each: each[:2]):
        if not woken and at >= flight.campaign.starts_at:
            pacer.wake(at)
            woken = True
        if isinstance(one, Offer):
            bid = pacer.bid(one.value)
            pacer.take(AD_EVENTS, _told(flight, one, bid, account.take(one, bid), pacer.current))
        else:
            pacer.take(AD_EVENTS, one)
    return account


def _told(flight: Flight, one: Offer, bid: float, paid: float | None, by: BidAdjustment | None) -> AdEvent:
    """The auction as this bidder would have heard of it: a loser hears the price where losers did."""
    price = one.price if paid is None and flight.tells_lost_prices else paid
    return replace(
        one.event, bid=bid, won=paid is not None, price=price, decision_id=None if by is None else by.decision_id
    )
