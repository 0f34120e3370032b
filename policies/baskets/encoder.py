"""The network that scores what a buyer may want next: one hidden layer beside a linear one, and how it learns.

A score is w·h + v·z with z = clip((φ − μ)/s, ±5) and h = silu(W z + b). A softmax over the candidates is trained by
cross-entropy against the basket with weight 1/n on each of its n items: softmax(scores) then estimates what each item
adds to the recall of the basket, and ranking by it is what recall@k asks for. No names, no time, no state but weights.

`forward` is for learning and measuring, one buyer at a time. `scores` is the same from elementwise operations
(docs/adr/0002): an item's score is the same bits whatever stands beside it, at about ten times the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats, dot

SCHEMA: Final = "tradewind.recommendation.next-basket.1"
HIDDEN: Final = 16
_CLIP: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """`location`, `scale` [F] are fixed; the others learn: `inner` [F, H], `bias` [H], `outer` [H], `direct` [F]."""

    location: Floats
    scale: Floats
    inner: Floats
    bias: Floats
    outer: Floats
    direct: Floats

    def __post_init__(self) -> None:
        f, h = self.inner.shape
        shapes = {"location": (f,), "scale": (f,), "bias": (h,), "outer": (h,), "direct": (f,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have the shape {shape}")
        if not all(np.isfinite(array).all() for array in self.arrays().values()) or not (self.scale > 0).all():
            raise ValueError("weights must be finite, and scales above 0")

    def arrays(self) -> dict[str, Floats]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.float32] | Floats]) -> Self:
        """From an artefact's tensors. Raises ValueError."""
        missing = [each.name for each in fields(cls) if each.name not in arrays]
        if missing:
            raise ValueError(f"the weights lack {', '.join(missing)}")
        return cls(**{each.name: np.array(arrays[each.name], dtype=np.float64) for each in fields(cls)})


def untrained(location: Floats, scale: Floats, seed: int, hidden: int = HIDDEN) -> Weights:
    """A network that has seen nothing: it scores everything alike."""
    f = len(location)
    inner = np.random.default_rng(seed).normal(0.0, 1.0 / np.sqrt(f), (f, hidden))
    return Weights(
        location=location, scale=scale, inner=inner, bias=np.zeros(hidden), outer=np.zeros(hidden), direct=np.zeros(f)
    )


class Forward(NamedTuple):
    """What a forward run found for C candidates; `ready` are the last layer's features: [H, C]."""

    z: Floats  # [F, C]
    gate: Floats  # [H, C] σ of what goes into the hidden layer
    ready: Floats  # [H, C]
    scores: Floats  # [C]


def forward(weights: Weights, phi: Floats) -> Forward:
    """A run that can be learned from, for candidates with features φ [F, C]."""
    z = _standard(weights, phi)
    into = weights.inner.T @ z + weights.bias[:, None]
    gate = 1.0 / (1.0 + np.exp(-into))
    ready = into * gate
    return Forward(z, gate, ready, weights.outer @ ready + weights.direct @ z)


def scores(weights: Weights, phi: Floats) -> Floats:
    """The scores of `forward`, each worked out alone: [F, C] → [C]."""
    z = _standard(weights, phi)
    into = dot(weights.inner[:, :, None], z[:, None, :]) + weights.bias[:, None]
    return dot(weights.outer[:, None], into / (1.0 + np.exp(-into))) + dot(weights.direct[:, None], z)


def _standard(weights: Weights, phi: Floats) -> Floats:
    return np.clip((phi - weights.location[:, None]) / weights.scale[:, None], -_CLIP, _CLIP)


def softmax(scores: Floats) -> Floats:
    """[C] → [C], sums to 1."""
    p = np.exp(scores - scores.max())
    return p / p.sum()


def residual(scores: Floats, target: Floats) -> Floats:
    """∂loss/∂scores of −Σ target·log softmax(scores): [C]. `target` sums to the part of the basket among these."""
    return target.sum() * softmax(scores) - target


@dataclass(slots=True)
class Learner:
    """Adam (Kingma, Ba 2015) on the mean of `batch` baskets' losses. `learn` may change the weights; old ones stay."""

    weights: Weights
    rate: float = 3e-4
    first_rate: float = 0.0  # added at the first step, and gone after some `settling` ones
    settling: float = 400.0
    batch: int = 8
    decay: float = 1e-5
    steps: int = 0
    baskets: int = 0  # held back for the next step, and the sums of their gradients
    held: dict[str, Floats] = field(default_factory=dict[str, Floats])
    _first: dict[str, Floats] = field(default_factory=dict[str, Floats])
    _second: dict[str, Floats] = field(default_factory=dict[str, Floats])

    def learn(self, found: Forward, error: Floats) -> None:
        """One basket: the forward run by these weights, and ∂loss/∂scores [C]."""
        for name, gradient in self._gradients(found, error).items():
            self.held[name] = self.held[name] + gradient if self.baskets else gradient
        self.baskets += 1
        if self.baskets >= self.batch:
            self._step()

    def _gradients(self, found: Forward, error: Floats) -> dict[str, Floats]:
        back = self.weights.outer[:, None] * error
        slope = found.gate + found.ready * (1.0 - found.gate)  # of silu
        into = back * slope  # [H, C]
        return {
            "inner": found.z @ into.T,
            "bias": into.sum(axis=1),
            "outer": found.ready @ error,
            "direct": found.z @ error,
        }

    def _step(self) -> None:
        self.steps += 1
        rate = self.rate + self.first_rate / (1.0 + self.steps / self.settling)
        changed: dict[str, Floats] = {}
        for name, total in self.held.items():
            gradient = total / self.baskets
            first = self._first[name] = 0.9 * self._first.get(name, 0.0) + 0.1 * gradient
            second = self._second[name] = 0.999 * self._second.get(name, 0.0) + 0.001 * gradient**2
            mean = first / (1.0 - 0.9**self.steps)
            spread = np.sqrt(second / (1.0 - 0.999**self.steps))
            now: Floats = getattr(self.weights, name)
            changed[name] = now - rate * (mean / (spread + 1e-8) + self.decay * now)
        self.baskets = 0
        self.weights = replace(self.weights, **changed)
