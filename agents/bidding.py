"""Bidding: campaigns and what their auctions cost in; now and then, an adjustment of their bids out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

import msgspec

from agents.bidder import KEPT, Bidder, Source, Taken, View, decide, flight_of, plan_of, quality_of, situation
from agents.contract import Agent, Draft, Input, State, Step, Work, counted
from agents.fold import fold
from agents.identity import decision_id
from agents.treatment import Treatment, Treatments, shadowed
from policies.bidding.pacing import DOMAIN, PRIOR, Published, matters
from policies.version import PolicyVersion, Priors
from streams.campaigns import CAMPAIGN_FEATURES, REMEMBERED, observed, paid, still_counts
from streams.records import AdEvent, BidAdjustment, Decision, Experience, Outcome
from streams.topics import AD_EVENTS, BID_ADJUSTMENTS, CAMPAIGNS, DECISIONS, EXPERIENCES, OUTCOMES, Topic

NAME: Final = "bidding"
FIRST_TELLING: Final = 64  # a flight is told to the learner after so many auctions, at each doubling, and at its end
_FLIGHTS: Final = "flights"


class Flights(msgspec.Struct):
    """When flights start and end, soonest first: to the millisecond, where the fold's own timers know hours."""

    due: list[tuple[int, str]] = []


@dataclass(frozen=True, slots=True)
class _Occasion:
    """What a decision is taken on."""

    names: tuple[object, ...]  # what its id is made from
    source: Source
    event_ids: list[str]
    at: int  # when it happened
    now: int


@dataclass(frozen=True, slots=True)
class BiddingAgent:
    """Paces every campaign. Entries: `campaign/<campaign_id>`, and `flights` for their dates."""

    name: str = NAME
    reads: tuple[Topic, ...] = (AD_EVENTS, CAMPAIGNS)
    watches: tuple[Topic, ...] = ()
    emits: tuple[Topic, ...] = (BID_ADJUSTMENTS, DECISIONS, OUTCOMES, EXPERIENCES)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(
            draft=Draft(state.entries, state.memo, read=counted(state)),
            treatments=Treatments(state.experiments, DOMAIN, policy, prior_of),
        )
        now = fold(work.draft, batch, now, on_record=work.on_record, on_timer=lambda _name, _at: None)
        work.wake(now)
        return work.done(now)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    """The working set of one step."""

    treatments: Treatments[Priors]

    # ---- What comes in ----------------------------------------------------------------------------------------------

    def on_record(self, given: Input, now: int) -> None:
        self.wake(now)
        if given.topic is CAMPAIGNS:
            self._on_campaign(given, now)
        else:
            self._on_event(given, now)

    def wake(self, now: int) -> None:
        """Review the campaigns whose flight has started or ended by `now`."""
        flights = self.draft.find(_FLIGHTS, Flights)
        while flights is not None and flights.due and flights.due[0][0] <= now:
            at, name = flights.due.pop(0)
            bidder = self._bidder(name)
            self._review(name, bidder, _Occasion((name, "flight", at), self.draft.source(bidder.source), [], at, now))

    def _on_campaign(self, given: Input, now: int) -> None:
        plan = None if given.record is None else plan_of(given.record)
        if plan is None and self.draft.find(_key(given.key), Bidder) is None:
            return
        bidder = self._bidder(given.key)
        if plan == bidder.plan:
            return
        if plan is None:
            self._tell(given.key, bidder, now, ended=True)
        bidder.adopt(plan, given.source, self.treatments.of(given.key).prior, now)
        if plan is not None:
            due = self.draft.edit(_FLIGHTS, Flights).due
            moments = {(at, given.key) for at in (plan.starts_at, plan.ends_at) if at > now}
            due[:] = sorted(moments.union(due))
        names = (given.key, "plan", bidder.decisions)
        self._review(given.key, bidder, _Occasion(names, given.source, [], now, now))

    def _on_event(self, given: Input, now: int) -> None:
        event: AdEvent = given.record
        bidder = self._bidder(event.campaign_id)
        verdict = bidder.ledger.seen.admit(event.event_id, event.occurred_at, REMEMBERED)
        if verdict != "new":
            self.ignore(verdict)
        if verdict == "duplicate" or (verdict == "too-late" and not still_counts(event, now)):
            return
        cost = paid(event, bidder.highest)
        if verdict == "too-late":
            bidder.ledger.spent += cost
        else:
            self._learn(bidder, event, cost, now)
        occasion = _Occasion((event.event_id,), given.source, [event.event_id], int(event.occurred_at), now)
        self._review(event.campaign_id, bidder, occasion)

    def _learn(self, bidder: Bidder, event: AdEvent, cost: float, now: int) -> None:
        features = bidder.ledger.features
        changes = features.value("price_changes")
        features.update(observed(event, cost))
        bidder.ledger.book(event, cost)
        if bidder.plan is None or bidder.steering is None:
            self.ignore("unknown campaign")
        elif event.type == "auction":
            bidder.learn(event, cost, bidder.plan, now)
            self._reward(event, bidder, now)
            if features.value("price_changes") > changes:
                bidder.steering.doubt()

    # ---- What is decided --------------------------------------------------------------------------------------------

    def _review(self, name: str, bidder: Bidder, occasion: _Occasion) -> None:
        """Bring what is published in line with what is right by now, if the difference matters."""
        by, measured = self.treatments.of(name), bidder.ledger.features.read()
        view = decide(bidder, measured, by.prior, occasion.now)
        why = matters(bidder.published, view.bid, bidder.plan, occasion.now)
        if why:
            beside = [(each, decide(bidder, measured, each.prior, occasion.now)) for each in self.treatments.shadows()]
            made = self._adjust(name, bidder, by, view, why, occasion)
            for each, other in beside:
                other.features["situation"] = view.features["situation"]
                shadow = self._decision(name, made.decision_id, each, other, occasion)
                self.put(DECISIONS, shadowed(made, shadow, float(shadow.action == made.action)))
        self._tell(name, bidder, occasion.now, ended=bool(why) and not view.bid.live)

    def _adjust(
        self, name: str, bidder: Bidder, by: Treatment[Priors], view: View, why: str, occasion: _Occasion
    ) -> Decision:
        bid, now = view.bid, occasion.now
        view.features["situation"] = situation(bidder)  # as it stood when the bid was chosen
        log_mu = bidder.steering.pace.log_mu if bidder.steering is not None else 0.0
        taken = Taken(decision_id(NAME, *occasion.names), now, by.version.number, log_mu, cap=bid.max_bid)
        bidder.decisions += 1
        bidder.published = Published(bid.multiplier, bid.max_bid, now)
        bidder.highest = max(bidder.highest, bid.max_bid)
        bidder.exhausted = not bid.live and self._in_flight(bidder, now)
        bidder.open.append(taken)
        if bidder.steering is not None and bid.live:
            bidder.steering.inflight.published(taken.decision_id)
        adjustment = BidAdjustment(
            decision_id=taken.decision_id,
            campaign_id=name,
            bid_multiplier=bid.multiplier,
            max_bid=bid.max_bid,
            reason=_reason(why, bidder, view, now),
            policy_version=by.version.number,
            decided_at=now,
        )
        self.put(BID_ADJUSTMENTS, adjustment)
        decision = self._decision(name, taken.decision_id, by, view, occasion)
        self.put(DECISIONS, decision)
        self._mature(bidder, name, len(bidder.open) - KEPT if bid.live else len(bidder.open), now)
        return decision

    def _decision(self, name: str, which: str, by: Treatment[Priors], view: View, occasion: _Occasion) -> Decision:
        return Decision(
            decision_id=which,
            domain=DOMAIN,
            entity=name,
            event_ids=occasion.event_ids,
            source=occasion.source,
            occurred_at=occasion.at,
            decided_at=occasion.now,
            features=view.features,
            feature_version=CAMPAIGN_FEATURES.version,
            candidates=[name],
            chosen=[name],
            action={"bid_multiplier": view.bid.multiplier, "max_bid": view.bid.max_bid},
            propensity=1.0,
            slot_propensities=[1.0],
            exploration=by.explored({"kind": "none"}),
            policy_version=by.version.number,
            policy_hash=by.version.sha256,
            seed="",
            fallback=by.assigned.fallback,
            arm=by.arm,
            read=self.draft.so_far(),
        )

    @staticmethod
    def _in_flight(bidder: Bidder, now: int) -> bool:
        return bidder.plan is not None and bidder.plan.starts_at <= now < bidder.plan.ends_at

    # ---- What came of it --------------------------------------------------------------------------------------------

    def _reward(self, event: AdEvent, bidder: Bidder, now: int) -> None:
        """Credit an auction to the decision that it names, or to the newest where it names none."""
        name, echo = event.campaign_id, event.decision_id
        gain = quality_of(bidder, self.treatments.of(name).prior).index * (event.value or 0.0) if event.won else 0.0
        late = next((taken for taken in bidder.closed if taken.decision_id == echo), None)
        if late is not None:
            late.reward += gain
            if gain:
                self._report(name, late, now, correction=True)
        elif bidder.open:
            ids = [taken.decision_id for taken in bidder.open]
            place = ids.index(echo) if echo in ids else len(ids) - 1
            bidder.open[place].reward += gain
            self._mature(bidder, name, place, now)
        elif gain:
            self.ignore("no decision to credit")

    def _mature(self, bidder: Bidder, name: str, count: int, now: int) -> None:
        """Close the oldest `count` decisions: the bidder has moved on from them."""
        done = bidder.open[: max(0, count)]
        del bidder.open[: len(done)]
        for taken in done:
            self._report(name, taken, now, correction=False)
        bidder.closed = [*bidder.closed, *done][-KEPT:]

    def _report(self, name: str, taken: Taken, now: int, *, correction: bool) -> None:
        outcome = Outcome(
            decision_id=taken.decision_id,
            domain=DOMAIN,
            entity=name,
            reward=taken.reward,
            slot_rewards=[taken.reward],
            label="correction" if correction else "final",
            attribution="decision_id" if correction else "window",
            decided_at=taken.at,
            matured_at=now,
            policy_version=taken.policy_version,
        )
        self.put(OUTCOMES, outcome)

    def _tell(self, name: str, bidder: Bidder, now: int, *, ended: bool) -> None:
        """Tell the learner how the flight goes: log-many times, and once more when bidding stops."""
        auctions = bidder.ledger.auctions
        due = auctions >= max(FIRST_TELLING, 2 * bidder.told) or (ended and auctions > bidder.told)
        if not due or bidder.plan is None or bidder.steering is None:
            return
        bidder.told = auctions
        experience = Experience(
            experience_id=decision_id(NAME, "experience", name, auctions),
            domain=DOMAIN,
            entity=name,
            occurred_at=now,  # pyright: ignore[reportArgumentType]  # an EventTime in all but name
            contexts=[list(flight_of(bidder, bidder.plan, bidder.steering))],
            outcomes=[bidder.ledger.value_won],
            policy_version=self.treatments.of(name).version.number,
        )
        self.put(EXPERIENCES, experience)

    # ---- Entries ----------------------------------------------------------------------------------------------------

    def _bidder(self, name: str) -> Bidder:
        return self.draft.edit(_key(name), Bidder)


def prior_of(version: PolicyVersion) -> Priors:
    """What a version says of bidding."""
    return version.prior(DOMAIN, PRIOR)


def _key(name: str) -> str:
    return f"campaign/{name}"


def _reason(why: str, bidder: Bidder, view: View, now: int) -> str:
    """What a person at the campaign's desk reads."""
    plan, rates = bidder.plan, view.quality
    if plan is None or bidder.steering is None:
        return why
    gone = max(0.0, min(1.0, (now - plan.starts_at) / plan.length_ms))
    said = f"{why}; spent {bidder.ledger.spent:.4g} of {plan.budget:.4g} with {gone:.0%} of the flight gone"
    if not view.bid.live:
        return said
    mu, in_flight = exp(bidder.steering.pace.log_mu), view.features["in_flight"]
    return (
        f"{said}; wants {mu:.3g} of value for 1 paid; quality {rates.index:.2f} "
        f"(CTR {rates.ctr:.2%}, CVR {rates.cvr:.2%}, revenue {rates.revenue:.4g}); up to {in_flight:.0f} in flight"
    )


def build() -> Agent:
    return BiddingAgent()
