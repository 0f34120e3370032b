"""How much stock a fill rate takes: the share of the units wanted that are sold. Numbers in, numbers out; no costs.

The type-2 service level (P₂) of Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains (2017),
ch. 6: unlike P₁, the chance of no stock-out in a cycle, it counts units. To ask for it is to ask for the least penalty
of a lost sale under which the cheapest stock reaches it, so an order is what the costs say, or more.

What is predicted is what the belief predicts: with the demand that it expects, and its doubt about the rate in the
spread of it. A rate that is believed too low, or no longer holds, is filled less.
"""

from collections.abc import Callable
from math import pi, sqrt
from typing import Final, cast

import torch

_HALVINGS: Final = 40
_WIDEST_Z: Final = 6.0
_PHI: Final = cast("Callable[[torch.Tensor], torch.Tensor]", torch.special.ndtr)  # pyright: ignore[reportUnknownMemberType]  # torch leaves it untyped


def service_of(fill: torch.Tensor, demand: torch.Tensor, sd: torch.Tensor) -> torch.Tensor:
    """The least chance [B] of demand being met at which a period of so much demand is filled; 0 where none is asked.

    The units that a normal leaves unmet at z deviations above the mean are sd · G(z), G(z) = φ(z) − z (1 − Φ(z)), and
    they may be a share 1 − fill of the demand. G falls, so z is halved in on: elementwise, and always as often.
    """
    unmet = (1.0 - fill) * demand / sd.clamp_min(1e-12)
    low, high = torch.full_like(fill, -_WIDEST_Z), torch.full_like(fill, _WIDEST_Z)
    for _ in range(_HALVINGS):
        z = (low + high) / 2.0
        enough = torch.exp(-0.5 * z * z) / sqrt(2.0 * pi) - z * _PHI(-z) <= unmet
        low, high = torch.where(enough, low, z), torch.where(enough, z, high)
    return torch.where(fill > 0.0, _PHI(high), torch.zeros_like(fill))


def level_of(fill: torch.Tensor, mean: torch.Tensor, under_way: torch.Tensor) -> torch.Tensor:
    """The least level S [B] that fills its share of demand one for one; 0 where none is asked.

    `under_way` [B, levels] are E[N | N ≤ S] of the loss system, `mean` [B] is E[N] with nothing lost: what arrives is
    what was sold, so that their ratio is the share that is sold. Where no level looked at reaches it: the highest.
    """
    wanting = under_way < fill.unsqueeze(1) * mean.unsqueeze(1)  # falls with S from true to false
    return wanting.sum(dim=1).clamp_max(under_way.shape[1] - 1).to(torch.float64)
