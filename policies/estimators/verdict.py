"""Whether a log can carry a statement about the target policy; if not, why, and what would be needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from policies.estimators.overlap import Overlap

LEAST_ESS: Final = 100.0  # effective decisions: below, intervals hang on a handful of rows
MOST_IMMATURE: Final = 0.2  # share of decisions without a final reward
MOST_UNUSABLE: Final = 0.2  # share of lines that were wrong in some way
MOST_OFF: Final = 0.1  # mean weight less 1, where that isn't chance
SURE: Final = 5.0  # standard errors that aren't chance

IMMATURE: Final = "immature"  # no final reward yet
FALLBACK: Final = "fallback"  # decided by a rule, at propensity 1: nothing was explored
EXPECTED: Final = frozenset({IMMATURE, FALLBACK, "duplicate"})  # left out, but nothing is wrong with them


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`reasons`: first what speaks against, then what was left out."""

    said: Literal["ok", "refused"]
    reasons: Sequence[str]


def verdict(overlap: Overlap, ess: float, excluded: Mapping[str, int], *, constant: bool) -> Verdict:
    """`ess` of the estimator that has most; `constant` where all rewards are the same."""
    against = [*_too_few(overlap, ess), *_off(overlap), *_immature(overlap, excluded), *_unusable(overlap, excluded)]
    if constant and overlap.n:
        against.append("all rewards are the same: nothing tells how far off the estimates are")
    left_out = [f"{count:,} left out: {name}" for name, count in sorted(excluded.items()) if count]
    return Verdict(said="refused" if against else "ok", reasons=(*against, *left_out))


def _too_few(overlap: Overlap, ess: float) -> list[str]:
    if not overlap.n:
        return ["no decision can be used"]
    if ess <= 0:
        return [
            "the target policy would have done nothing of what was logged (all weights are 0): log one closer to it"
        ]
    if ess >= LEAST_ESS * (1 - 1e-9):  # rounding isn't a decision
        return []
    more = ceil(overlap.n * (LEAST_ESS / ess - 1))
    share = overlap.largest / overlap.total if overlap.total else 0.0
    return [
        (
            f"effective sample size {ess:.1f} of {overlap.n:,} decisions, {LEAST_ESS:.0f} are needed: "
            f"about {more:,} more decisions like these, or a logging policy closer to the target "
            f"(the largest weight, {overlap.largest:.4g}, is {share:.0%} of all)"
        )
    ]


def _off(overlap: Overlap) -> list[str]:
    away = overlap.mean - 1
    if overlap.n < 2 or overlap.total <= 0 or abs(away) <= max(MOST_OFF, SURE * overlap.error):
        return []
    said = f"weights are {overlap.mean:.3f} on average and not 1 (standard error {overlap.error:.3f}): "
    if away > 0:
        return [said + "logged propensities are too small, or not those of the logged action; log them unrounded"]
    return [
        said + f"about {-away:.0%} of what the target policy does was never done by the logging policy, or logged "
        "propensities are too large; log a policy that explores those actions"
    ]


def _immature(overlap: Overlap, excluded: Mapping[str, int]) -> list[str]:
    waiting = excluded.get(IMMATURE, 0)
    share = waiting / (waiting + overlap.n) if waiting else 0.0
    if share <= MOST_IMMATURE:
        return []
    return [
        (
            f"{share:.0%} of the decisions have no final reward yet, at most {MOST_IMMATURE:.0%} may: wait until about "
            f"{ceil(waiting - MOST_IMMATURE * (waiting + overlap.n)):,} more have matured, or end the log earlier"
        )
    ]


def _unusable(overlap: Overlap, excluded: Mapping[str, int]) -> list[str]:
    wrong = sum(count for name, count in excluded.items() if name not in EXPECTED)
    share = wrong / (wrong + overlap.n) if wrong else 0.0
    if share <= MOST_UNUSABLE:
        return []
    return [f"{share:.0%} of the log can't be used, at most {MOST_UNUSABLE:.0%} may: put right what is left out below"]
