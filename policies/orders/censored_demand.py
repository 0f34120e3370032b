"""What is believed of demand from sales alone, when a shelf that ran empty hides the rest. No stock, no orders.

Whole units per period are negative binomial with mean m and dispersion φ (variance over mean; 1 is Poisson). A period
that ends with stock tells P(D = s), one that ends without it P(D ≥ s): the censored likelihood, whole, on a grid of 25
means by 24 dispersions, for many SKUs side by side. The grid of means follows its posterior and narrows with it, so its
spacing is always about half a posterior standard deviation. While it is wide, the first `WHOLE` periods are weighed
anew at its new points: between points so far apart the likelihood of thousands of units can't be interpolated.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]

DISPERSIONS: Final = tuple(1.3**power for power in range(24))  # 1 … 417
MEANS: Final = 25  # points of the grid
WIDEST: Final = 8.0  # half the range of log m at the start: 0.001 … 9,000
CENTRE: Final = log(3.0)
IMPOSSIBLE: Final = -25.0  # log odds against the likeliest
WHOLE: Final = 48  # periods that are remembered as they were
FEW: Final = 40.0  # units up to which P(D ≥ s) is summed, and not approximated

_Elementwise = Callable[[torch.Tensor], torch.Tensor]
_LOG_PHI: Final = cast(_Elementwise, torch.special.log_ndtr)  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandBelief:
    """Of each SKU [B]: the gamma with the posterior's mean and variance of log m, and the dispersion to reckon with."""

    rate: Floats
    rate_sd: Floats
    dispersion: Floats


@dataclass(slots=True)
class CensoredDemand:
    """The posterior of SKUs side by side, from a prior over (log m, φ): log weights [bins, 24] over `WIDEST` evenly."""

    count: int
    prior: Floats
    centre: torch.Tensor = field(init=False)  # [B] of the grid of log m
    half: torch.Tensor = field(init=False)  # [B] half its range
    phi: torch.Tensor = field(init=False)  # [F] dispersions that are still possible for any of the SKUs
    logs: torch.Tensor = field(init=False)  # [B, MEANS, F] log posterior, up to a constant
    _left: torch.Tensor = field(init=False)  # [F] where those dispersions stand in the prior
    _first: list[tuple[torch.Tensor, torch.Tensor]] = field(init=False)  # units sold, and whether they hide some; [B]
    _periods: int = 0

    def __post_init__(self) -> None:
        self.centre = torch.full((self.count,), CENTRE, dtype=torch.float64)
        self.half = torch.full((self.count,), WIDEST, dtype=torch.float64)
        self.phi = torch.tensor(DISPERSIONS, dtype=torch.float64)
        self._left, self._first = torch.arange(len(DISPERSIONS)), []
        bins = torch.linspace(0, len(self.prior) - 1, MEANS).round().long()
        self.logs = torch.as_tensor(self.prior)[bins].expand(self.count, -1, -1).clone()

    def observe(self, sold: Floats, on_hand: Floats) -> None:
        """Take in a period [B]: units sold of those on hand. An empty shelf all along tells nothing."""
        units, hidden = torch.as_tensor(sold), torch.as_tensor(sold >= on_hand)
        if self._periods < WHOLE:
            self._first.append((units, hidden))
        self.logs += log_likelihood(units, hidden, self._grid().exp().unsqueeze(2), self.phi)
        self.logs -= self.logs.amax(dim=(1, 2), keepdim=True)
        self._follow()
        self._periods += 1
        if self._periods % 16 == 0:
            self._forget()

    def _forget(self) -> None:
        """Drop the dispersions that none of the SKUs can have any more: most of the work, after some dozen periods."""
        likely = (self.logs.amax(dim=(0, 1)) > IMPOSSIBLE).nonzero().squeeze(1)
        self.phi, self.logs = self.phi[likely], self.logs[:, :, likely].contiguous()
        self._left = self._left[likely]

    def belief(self) -> DemandBelief:
        weights, grid = self._weights()
        by_mean = weights.sum(dim=2)
        first = (by_mean * grid).sum(dim=1)
        spread = (by_mean * (grid - first.unsqueeze(1)) ** 2).sum(dim=1).clamp_min(1e-12)
        a = _shape(spread)
        rate = a * (first - torch.digamma(a)).exp()
        means = grid.exp().unsqueeze(2)
        # The mean is taken without its far tail: a prior of many orders of magnitude would let it rule.
        near = weights * (grid < (first + 3.0 * spread.sqrt()).unsqueeze(1)).unsqueeze(2)
        dispersion = (near * means * self.phi).sum(dim=(1, 2)) / (near * means).sum(dim=(1, 2))
        return DemandBelief(rate=rate.numpy(), rate_sd=(rate / a.sqrt()).numpy(), dispersion=dispersion.numpy())

    def _grid(self) -> torch.Tensor:
        """log m [B, MEANS]."""
        return self.centre.unsqueeze(1) + self.half.unsqueeze(1) * torch.linspace(-1.0, 1.0, MEANS).double()

    def _weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.softmax(self.logs.flatten(1), dim=1).view_as(self.logs), self._grid()

    def _follow(self) -> None:
        """Narrow, or move, the grids that are too wide for their posterior or no longer around it."""
        weights, grid = self._weights()
        by_mean = weights.sum(dim=2)
        first = (by_mean * grid).sum(dim=1)
        sd = (by_mean * (grid - first.unsqueeze(1)) ** 2).sum(dim=1).clamp_min(0.0).sqrt()
        spacing = self.half * (2.0 / (MEANS - 1))
        sd = torch.maximum(sd, 0.4 * spacing)
        narrow = (sd < 1.2 * spacing) & (spacing > 1e-5)
        aside = (first - self.centre).abs() + 2.5 * sd > self.half
        rows = (narrow | (aside & (self.half < WIDEST))).nonzero().squeeze(1)
        if len(rows):
            half = torch.where(narrow[rows], 6.0 * sd[rows], self.half[rows])
            regrid = self._weigh_anew if self._periods < WHOLE else self._regrid
            regrid(rows, first[rows], half)

    def _weigh_anew(self, rows: torch.Tensor, centre: torch.Tensor, half: torch.Tensor) -> None:
        """Log posteriors at the points of new grids, from the prior and all that was sold so far."""
        self.centre[rows], self.half[rows] = centre, half
        grid = self._grid()[rows]
        means, logs = grid.exp().unsqueeze(2), self._prior_at(grid)
        for units, hidden in self._first:
            logs = logs + log_likelihood(units[rows], hidden[rows], means, self.phi)
        self.logs[rows] = logs - logs.amax(dim=(1, 2), keepdim=True)

    def _prior_at(self, grid: torch.Tensor) -> torch.Tensor:
        """Log prior at log means [b, MEANS]: linear between its bins, as at its ends beyond them. [b, MEANS, F]"""
        prior = torch.as_tensor(self.prior)[:, self._left]
        last = len(prior) - 1
        place = (((grid - CENTRE) / WIDEST + 1.0) * (last / 2.0)).clamp(0.0, float(last))
        low = place.long().clamp_max(last - 1)
        return torch.lerp(prior[low], prior[low + 1], (place - low).unsqueeze(2))

    def _regrid(self, rows: torch.Tensor, centre: torch.Tensor, half: torch.Tensor) -> None:
        """Carry log posteriors to new grids by Lagrange's cubic through the four nearest points."""
        ticks = torch.linspace(-1.0, 1.0, MEANS).double()
        wanted = centre.unsqueeze(1) + half.unsqueeze(1) * ticks  # [b, MEANS]
        place = (wanted - self.centre[rows].unsqueeze(1)) / self.half[rows].unsqueeze(1)
        place = ((place + 1.0) * (MEANS - 1) / 2.0).clamp(-2.0, MEANS + 1.0)
        first = place.floor().long().clamp(1, MEANS - 3)
        u = (place - first).unsqueeze(2)
        old, total = self.logs[rows], torch.zeros_like(self.logs[rows])
        cubic = (
            -u * (u - 1.0) * (u - 2.0) / 6.0,
            (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0,
            -(u + 1.0) * u * (u - 2.0) / 2.0,
            (u + 1.0) * u * (u - 1.0) / 6.0,
        )
        for offset, weight in zip((-1, 0, 1, 2), cubic, strict=True):
            at = (first + offset).unsqueeze(2).expand(-1, -1, old.shape[2])
            total += weight * old.gather(1, at)
        self.logs[rows], self.centre[rows], self.half[rows] = total, centre, half


def log_likelihood(units: torch.Tensor, hidden: torch.Tensor, means: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Of units sold [b] at means [b, G, 1] and dispersions [F]; P(D ≥ s) where stock-out has `hidden` demand [b]."""
    told = log_mass(torch.where(hidden, torch.zeros_like(units), units)[:, None, None], means, phi)
    told[hidden] = 0.0
    rows = (hidden & (units > 0.0)).nonzero().squeeze(1)
    if len(rows):
        told[rows] = log_tail(units[rows], means[rows], phi)
    return told


def log_mass(units: torch.Tensor, means: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """log P(D = units), broadcast; φ next to 1 is a Poisson."""
    over = phi - 1.0
    r = means / over.clamp_min(1e-9)
    of_units = torch.lgamma(units + 1.0)
    mixed = torch.lgamma(units + r) - torch.lgamma(r) - of_units - r * phi.log()
    mixed = mixed + units * (over / phi).clamp_min(1e-300).log()
    poisson = units * means.log() - means - of_units
    return torch.where(over < 1e-6, poisson, mixed)


def log_tail(units: torch.Tensor, means: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """log P(D ≥ units): units [b] of one or more, means [b, G, 1], φ [F] → [b, G, F]. Summed where units are few.

    Else Wilson and Hilferty's (1931) cube root of the gamma of the same mean and variance.
    """
    most = float(units.max())
    if most > FEW:
        found = _approximate_tail(units[:, None, None], means, phi)
        few = units <= FEW
        if bool(few.any()):
            found[few] = log_tail(units[few], means[few], phi)
        return found
    over = (phi - 1.0).clamp_min(1e-9)
    r, fail = means / over, over / (1.0 + over)
    mass = (-r * torch.log1p(over)).exp()  # P(D = k), by Panjer's recursion
    below = torch.zeros_like(mass)
    for k in range(int(most)):
        below += mass * (units > k)[:, None, None]
        mass = mass * (fail * (r + k)) / (k + 1.0)
    # Where nearly all is below, the difference is rounding: the approximation is better there.
    tail = 1.0 - below
    return torch.where(
        tail > 1e-6, tail.clamp_min(1e-12).log(), _approximate_tail(units[:, None, None], means, phi).clamp_max(-13.0)
    )


def _approximate_tail(units: torch.Tensor, means: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    shape = (means / phi).clamp_min(1e-6)
    ratio = ((units - 0.5) / means).clamp_min(1e-9)
    z = (ratio ** (1.0 / 3.0) - (1.0 - 1.0 / (9.0 * shape))) * 3.0 * shape.sqrt()
    return _LOG_PHI(-z)


def _shape(variance_of_log: torch.Tensor) -> torch.Tensor:
    """The a of a gamma whose logarithm has this variance: ψ′(a) = v, by Newton on log a."""
    a = 0.5 / variance_of_log + (0.25 / variance_of_log**2 + 1.0 / variance_of_log).sqrt() * 0.5 + 0.25
    for _ in range(5):
        off = torch.polygamma(1, a).log() - variance_of_log.log()
        slope = a * torch.polygamma(2, a) / torch.polygamma(1, a)
        a = a * (-off / slope).clamp(-2.0, 2.0).exp()
    return a


def flat_prior() -> Floats:
    """No mean and no dispersion of the grid before another, [MEANS, 24]."""
    return np.zeros((MEANS, len(DISPERSIONS)))


def prior_of(means: Floats, dispersions: Floats) -> Floats:
    """Log prior [MEANS, 24] from the SKUs of a population: a normal for log m, shares of φ around each mean.

    Each share has a tenth of a SKU's weight beforehand, so that nothing is impossible.
    """
    logs = np.log(means)
    grid = np.linspace(CENTRE - WIDEST, CENTRE + WIDEST, MEANS)
    nearest = np.abs(np.log(dispersions)[:, None] - np.log(np.array(DISPERSIONS))[None, :]).argmin(axis=1)
    kernel = np.exp(-0.5 * ((grid[:, None] - logs[None, :]) / 0.5) ** 2)  # [MEANS, SKUs]
    shares = np.full((MEANS, len(DISPERSIONS)), 0.1)
    for place in range(len(DISPERSIONS)):
        shares[:, place] += kernel[:, nearest == place].sum(axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    spread = max(0.5, float(logs.std()))
    return np.log(shares) - 0.5 * ((grid - logs.mean()) / spread)[:, None] ** 2
