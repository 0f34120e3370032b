"""Dual pacing: a step on the multiplier after each auction, by what was spent more or less than the budget's share.

Balseiro & Gur (2019), adaptive pacing, additive: μ ← max(0, μ − ε(ρ − z)), bid v/(1 + μ). Its step ε = 1/(ρ√T) and bid
are in one currency for values and money, as in the paper. `Multiplicative` is mirror descent with the entropy
(Balseiro, Lu & Mirrokni 2023): log μ ← log μ − ε(1 − z/ρ), ε = 1/√T, bid v/μ. Cold starts where the value itself is
bid; warm where the optimum of the market is, told beforehand. Neither uses the price of an auction that was lost.
"""

from dataclasses import dataclass
from math import exp, log


@dataclass(slots=True, kw_only=True)
class Additive:
    """`mu` is the shadow price of money: 0 bids the value itself."""

    auctions: int
    budget: float
    mu: float = 0.0

    @classmethod
    def at(cls, log_mu: float, *, auctions: int, budget: float) -> "Additive":
        """Warm: starts by asking this much value for money."""
        return cls(auctions=auctions, budget=budget, mu=max(0.0, exp(log_mu) - 1.0))

    def bid(self, value: float, left: float) -> float:
        return min(left, value / (1.0 + self.mu))

    def learn(self, value: float, paid: float | None) -> None:
        del value
        step = self.auctions**-0.5
        self.mu = max(0.0, self.mu + step * ((paid or 0.0) * self.auctions / self.budget - 1.0))


@dataclass(slots=True, kw_only=True)
class Multiplicative:
    """`log_mu` is the log of value for money; 0 bids the value itself."""

    auctions: int
    budget: float
    log_mu: float = 0.0

    def bid(self, value: float, left: float) -> float:
        if value <= 0.0 or left <= 0.0:
            return 0.0
        return min(left, exp(max(-700.0, min(700.0, log(value) - self.log_mu))))

    def learn(self, value: float, paid: float | None) -> None:
        del value
        step = self.auctions**-0.5
        self.log_mu += step * ((paid or 0.0) * self.auctions / self.budget - 1.0)


@dataclass(slots=True)
class BidTheValue:
    """No pacing: the value itself, until the money is gone."""

    def bid(self, value: float, left: float) -> float:
        return min(left, value)

    def learn(self, value: float, paid: float | None) -> None:
        del value, paid
