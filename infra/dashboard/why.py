"""Why an action was taken: from the decision as it was logged, and the prior of the version that took it.

A slate's score is φ·μ, where μ is the posterior mean of the user's weights: the shipped or learned prior, and what the
user's own outcomes added. So it is a sum with one term a feature, φᵢμᵢ, and each term is what the prior alone would
have said, φᵢmᵢ, and what this user's own history changed of it. The sums are made by the arithmetic that chose
(`policies.slates.evidence`, first to last), so that they come to the score that was sent, to the last bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any, Final, cast

import numpy as np

from policies.bidding.pacing import HEADROOM
from policies.linalg import Floats
from policies.slates.evidence import Evidence, GaussianPrior, posterior
from streams.records import Decision, Recommendation

SLOTS: Final = 20  # of a slate that are explained

WORDS: Final[Mapping[str, str]] = {
    "bias": "any item at all",
    "own_share": "how often this user buys it",
    "own_part": "how much of those baskets it is",
    "bought_before": "bought before",
    "due": "due again by now",
    "just_bought": "just bought",
    "trending_share": "sells to everyone today",
    "popular_share": "sells to everyone for weeks",
    "bought_with": "goes with what is in the basket",
    "category_share": "the user likes its category",
    "novelty_of_user": "the user is new",
    "price_fit": "priced as the user likes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One feature's part in a score: `amount` = `value` × `weight`; `of_prior` is what the prior alone would say."""

    feature: str
    words: str
    value: float
    weight: float
    amount: float
    of_prior: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place of a slate. `rank` is by score among the candidates, from 1; `sent` is the score that was sent."""

    item: str
    score: float
    sent: float | None
    rank: int
    propensity: float
    terms: list[Term]

    @property
    def exact(self) -> bool:
        """Whether the terms come to the score that was sent, to the last bit."""
        return self.sent is not None and self.sent == self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What is believed of one number: by the prior, and by now; with standard deviations where they are known."""

    name: str
    words: str
    prior: float
    prior_sd: float | None
    belief: float
    belief_sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number behind a decision, in words."""

    words: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """All that can be said of one decision. `unknown` says in words what can't."""

    summary: str
    slots: list[Slot]
    weights: list[Weight]
    numbers: list[Number]
    unknown: str = ""


Prior = Mapping[str, Any]


def explain(decision: Decision, prior: Prior | None, slate: Recommendation | None = None) -> Why:
    """Why this decision was taken; `prior` is that of its domain in its version, None where it isn't kept."""
    try:
        if decision.domain == "recommendation":
            return _slate(decision, prior, slate)
        if decision.domain == "replenishment":
            return _order(decision, prior)
        return _bid(decision, prior) if decision.domain == "bidding" else _other(decision)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        told = f"this decision was logged in another form than this dashboard reads ({type(error).__name__}: {error})"
        return Why(summary="", slots=[], weights=[], numbers=_rest(decision.features, ()), unknown=told)


def _other(decision: Decision) -> Why:
    """Of a domain that this page has no words for: the agent's own reason, and what it logged."""
    chance = [Number(words="chance of exactly this action", value=f"{decision.propensity:.3g}")]
    told = str(decision.action.get("reason", "")) or f"chosen: {', '.join(decision.chosen)}"
    numbers = [*chance, *_rest(decision.features, ())]
    return Why(summary=f"{told[:1].upper()}{told[1:]}.", slots=[], weights=[], numbers=numbers)


# ---- Recommendations -------------------------------------------------------------------------------------------------


def _slate(decision: Decision, prior: Prior | None, sent: Recommendation | None) -> Why:
    numbers = [
        Number(words="candidates after eligibility", value=f"{len(decision.candidates):,}"),
        Number(words="chance of exactly this slate", value=f"{decision.propensity:.3g}"),
        Number(words="exploration", value=_told(decision.exploration)),
    ]
    if decision.fallback:
        return Why(summary=f"No choice was made: {decision.fallback}.", slots=[], weights=[], numbers=numbers)
    if prior is None:
        unknown = f"policy version {decision.policy_version} made it, and its prior is not kept here any more"
        return Why(summary="", slots=[], weights=[], numbers=numbers, unknown=unknown)
    names = [str(name) for name in decision.features["names"]]
    known = GaussianPrior.of(cast(Any, prior))
    precision, shift = _evidence(decision.features.get("belief") or {}, known.size)
    mean = _mean(known, precision, shift)
    phi = np.array(decision.features["phi"], dtype=np.float64).reshape(len(decision.candidates), known.size)
    phi *= 1.0 / float(decision.features["unit"])
    slots = _slots(decision, names, phi, mean, known.mean, sent)
    first = slots[0]
    lead = max(first.terms, key=lambda term: term.amount)
    return Why(
        summary=f"{first.item} stands first, most of all by: {lead.words}.",
        slots=slots,
        weights=_weights(names, known, precision, mean),
        numbers=numbers,
    )


def _evidence(belief: Mapping[str, Any], size: int) -> tuple[Floats, Floats]:
    upper, shift = (np.array(belief.get(name) or [], dtype=np.float64) for name in ("precision_upper", "shift"))
    return Evidence(upper=upper.tobytes(), shift=shift.tobytes()).read(size)


def _mean(prior: GaussianPrior, precision: Floats, shift: Floats) -> Floats:
    """μ [d], by the same steps that chose."""
    mean, _ = posterior(prior, precision[..., None], shift[:, None], np.zeros((prior.size, 1, 1)))
    return mean[:, 0]


def total(amounts: Sequence[float]) -> float:
    """Their sum, first to last: the order in which a score is summed."""
    found = amounts[0]
    for amount in amounts[1:]:
        found += amount
    return found


def _slots(
    decision: Decision, names: list[str], phi: Floats, mean: Floats, of_prior: Floats, sent: Recommendation | None
) -> list[Slot]:
    amounts = phi * mean  # [C, d]
    scores = [total(row) for row in amounts.tolist()]
    told = {one.item_id: one.score for one in sent.items} if sent is not None else {}
    found: list[Slot] = []
    for item, propensity in list(zip(decision.chosen, decision.slot_propensities, strict=True))[:SLOTS]:
        at = decision.candidates.index(item)
        terms = [
            Term(
                feature=name,
                words=WORDS.get(name, name.replace("_", " ")),
                value=float(phi[at, i]),
                weight=float(mean[i]),
                amount=float(amounts[at, i]),
                of_prior=float(phi[at, i] * of_prior[i]),
            )
            for i, name in enumerate(names)
        ]
        rank = 1 + sum(other > scores[at] for other in scores)
        found.append(
            Slot(item=item, score=scores[at], sent=told.get(item), rank=rank, propensity=propensity, terms=terms)
        )
    return found


def _weights(names: list[str], prior: GaussianPrior, precision: Floats, mean: Floats) -> list[Weight]:
    before = np.sqrt(np.linalg.inv(prior.precision).diagonal())
    after = np.sqrt(np.linalg.inv(prior.precision + precision).diagonal())
    return [
        Weight(
            name=name,
            words=WORDS.get(name, name.replace("_", " ")),
            prior=float(prior.mean[i]),
            prior_sd=float(before[i]),
            belief=float(mean[i]),
            belief_sd=float(after[i]),
        )
        for i, name in enumerate(names)
    ]


# ---- Orders ----------------------------------------------------------------------------------------------------------

_ORDER: Final[Mapping[str, str]] = {
    "on_hand": "units on hand",
    "lead_time_days": "days until an order arrives",
    "review_days": "days between two reviews",
    "holding_cost": "cost of holding a unit for a day",
    "shortage_cost": "cost of a sale lost",
    "pack_size": "units in a pack",
    "min_order": "smallest order",
    "max_order": "largest order",
    "min_fill_rate": "share of the units wanted to be sold at least",
    "service": "share of demand worth being ready for",
}


def _order(decision: Decision, prior: Prior | None) -> Why:
    given = decision.features
    quantity, reason = float(decision.action["quantity"]), str(decision.action.get("reason", ""))
    due = sum(float(units) for _, units in given["due"])
    if float(given.get("fast", 1.0)) >= 0.5:  # the part of the rule that had more say
        there, wanted = float(given["projected"]), max(0.0, float(given["level"]))
        words = ("expected to be left when an order placed now arrives", "level wanted then")
    else:
        there, wanted = float(given["on_hand"]) + due, float(given["enough"])
        words = ("on hand and under way", "enough: one more costs more to hold than it saves, or more than was asked")
    need = wanted - there
    numbers = [
        Number(words=words[0], value=f"{there:,.2f} units"),
        Number(words=words[1], value=f"{wanted:,.2f} units"),
        Number(words="missing", value=f"{need:,.2f} units"),
        Number(words="added or cut for packs and order limits", value=f"{quantity - max(0.0, need):+,.2f} units"),
        Number(words="ordered", value=f"{quantity:,g} units"),
        Number(words="units under way", value=f"{due:,g}"),
        *(Number(words=words, value=f"{float(given[name]):,.4g}") for name, words in _ORDER.items() if name in given),
        *_rest(given, ("due", "level", "projected", "enough", "fast", "a", "b", "dispersion", *_ORDER)),
    ]
    return Why(summary=reason, slots=[], weights=_demand(given, prior), numbers=numbers)


def _demand(given: Mapping[str, Any], prior: Prior | None) -> list[Weight]:
    """λ ~ Gamma(a, b), units a day: mean a/b, standard deviation √a/b."""
    if "a" not in given or prior is None or "a" not in prior:
        return []
    a, b, before = float(given["a"]), float(given["b"]), float(prior["a"])
    per = float(prior["b"]) / float(prior.get("size", 1.0))  # a prior without a size speaks of units
    rate = Weight(
        name="demand",
        words="demand, units a day",
        prior=before / per,
        prior_sd=sqrt(before) / per,
        belief=a / b,
        belief_sd=sqrt(a) / b,
    )
    return [rate]


# ---- Bids ------------------------------------------------------------------------------------------------------------


def _bid(decision: Decision, prior: Prior | None) -> Why:
    given, action = decision.features, decision.action
    multiplier, cap = float(action["bid_multiplier"]), float(action["max_bid"])
    if "log_mu" not in given:
        numbers = [Number(words="highest bid", value=f"{cap:,.4g}"), *_rest(given, ())]
        return Why(summary="No bid is made: the flight isn't under way.", slots=[], weights=[], numbers=numbers)
    mu, quality, shade = exp(float(given["log_mu"])), float(given["quality"]), float(given["shade"])
    held = float(given.get("reserve_share", 1.0))  # older logs don't say
    product = quality * shade * held / mu
    lifted = cap > 0 and multiplier > product * (1 + 1e-9)
    numbers = [
        Number(words="value that 1 of money has to buy (μ)", value=f"{mu:,.4g}"),
        Number(words="quality of this campaign's traffic, 1 is usual", value=f"{quality:,.4g}"),
        Number(words="share of the value that is bid in a first-price auction", value=f"{shade:,.4g}"),
        *(
            [Number(words="share that is bid, the rest held back for bids in flight", value=f"{held:,.4g}")]
            if held < 1.0
            else []
        ),
        Number(words="quality × share / μ", value=f"{product:,.4g}"),
        Number(
            words="bid multiplier" + (", raised to the campaign's lowest bid" if lifted else ""),
            value=f"{multiplier:,.4g}",
        ),
        Number(words="money left", value=f"{float(given['remaining']):,.2f}"),
        Number(words="auctions that may still run under an older bid", value=f"{float(given['in_flight']):,.1f}"),
        Number(words="highest bid that the budget bears", value=f"{float(given['safe_bid']):,.4g}"),
        Number(words=f"highest bid published (at most {HEADROOM:.0%} of that)", value=f"{cap:,.4g}"),
        *_rest(
            given,
            ("log_mu", "quality", "shade", "remaining", "in_flight", "safe_bid", "reserve_share", "ends_at", "weight"),
        ),
    ]
    summary = "Bids follow value for money." if cap > 0 else "No bid is made: the money is spent or may be in flight."
    return Why(summary=summary, slots=[], weights=_market(given, prior), numbers=numbers)


def _market(given: Mapping[str, Any], prior: Prior | None) -> list[Weight]:
    if prior is None:
        return []
    found = [
        Weight(
            name="log_mu",
            words="log μ, value wanted for money",
            prior=float(prior["log_mu"]),
            prior_sd=None,
            belief=float(given["log_mu"]),
            belief_sd=None,
        )
    ]
    price = prior.get("price")
    if price is not None and "log_price_mean" in given:
        mean, deviation, *_ = price
        found.append(
            Weight(
                name="log_price",
                words="log price of the highest rival bid",
                prior=float(mean),
                prior_sd=float(deviation),
                belief=float(given["log_price_mean"]),
                belief_sd=float(given["log_price_deviation"]),
            )
        )
    return found


# ---- What is left ----------------------------------------------------------------------------------------------------


def _rest(given: Mapping[str, Any], told: Sequence[str], under: str = "") -> list[Number]:
    """Every other number that was logged, by its own name."""
    found: list[Number] = []
    for name, value in given.items():
        if not under and name in told:
            continue
        words = f"{under}{name}".replace("_", " ")
        if isinstance(value, bool | str):
            found.append(Number(words=words, value=str(value)))
        elif isinstance(value, int | float):
            found.append(Number(words=words, value=f"{value:,.4g}"))
        elif isinstance(value, Mapping):
            found += _rest(cast(Mapping[str, Any], value), told, f"{words}: ")
    return found


def _told(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "none"
