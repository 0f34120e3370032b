"""What one entity's own data say of its weights, and the shared prior that fills in the rest.

The model is Bayesian linear regression, y = φ·θ + ε, θ ~ N(m, Λ₀⁻¹), ε ~ N(0, σ²), in information form (Bishop 2006,
§3.3). An entity keeps the part that its data added, D = Σφφᵀ/σ² and h = Σφy/σ²; its posterior is Λ = Λ₀ + D,
Λμ = Λ₀m + h. So forgetting D and h is forgetting *toward the prior*, and a new prior reaches every entity at once.
"""

from dataclasses import dataclass
from functools import cache
from math import exp

import msgspec
import numpy as np
import numpy.typing as npt

from policies.linalg import Floats, factor, solve_unit_upper
from policies.version import Priors


@dataclass(frozen=True, slots=True)
class GaussianPrior:
    """What a new entity's weights are taken to be: N(m, Λ₀⁻¹), seen with noise σ².

    `width` is how far weights are drawn from what is believed of an entity, in deviations of that belief.
    """

    mean: Floats  # [d]
    precision: Floats  # [d, d]
    noise: float
    width: float = 1.0

    @classmethod
    def of(cls, prior: Priors) -> "GaussianPrior":
        """From a policy version: {"mean": [d], "precision": [d][d], "noise": σ²}, and "width" where it isn't 1."""
        width = float(prior.get("width", 1.0))
        return cls(np.array(prior["mean"]), np.array(prior["precision"]), float(prior["noise"]), width)

    @property
    def size(self) -> int:
        return len(self.mean)

    def first(self, size: int) -> "GaussianPrior":
        """Of the first `size` weights alone: what a decision was made by when there were no others yet."""
        if size == self.size:
            return self
        return GaussianPrior(self.mean[:size], self.precision[:size, :size], self.noise, self.width)


class Evidence(msgspec.Struct):
    """What an entity's data added to the prior, as raw float64: `upper` is D's upper triangle, `shift` is h [d].

    `encoder` is the name of the one in whose space it is; empty where there was but one.
    """

    upper: bytes = b""
    shift: bytes = b""
    at: int = 0
    encoder: str = ""

    @classmethod
    def of(cls, precision: Floats, shift: Floats, *, at: int, encoder: str) -> "Evidence":
        """From D [d, d] and h [d]."""
        return cls(precision[_upper(len(precision))].tobytes(), shift.tobytes(), at, encoder)

    def read(self, size: int) -> tuple[Floats, Floats]:
        """D [d, d] and h [d], not to be written to; zeros where there are no data yet.

        What was learned when there were fewer weights says nothing of the new ones; of more, it can't be read.
        """
        known = len(self.shift) // 8
        if known == size:
            return np.frombuffer(self.upper)[_places(size)], np.frombuffer(self.shift)
        precision, shift = np.zeros((size, size)), np.zeros(size)
        if 0 < known < size:
            precision[:known, :known] = np.frombuffer(self.upper)[_places(known)]
            shift[:known] = np.frombuffer(self.shift)
        return precision, shift

    def told(self, size: int) -> tuple[Floats, Floats]:
        """D's upper triangle, row by row, and h, as they are logged."""
        precision, shift = self.read(size)
        return precision[_upper(size)], shift

    def add(self, phi: Floats, y: Floats, *, noise: float, at: int, memory_ms: float) -> None:
        """Take in outcomes y [n] at contexts φ [n, d]. What was known fades by exp(-Δt / memory)."""
        known, shift = self.read(phi.shape[1])
        kept = exp(-max(0, at - self.at) / memory_ms) if self.at else 1.0
        # einsum, not BLAS: its order of summation doesn't depend on where the arrays lie in memory
        precision = kept * known + np.einsum("ni,nj->ij", phi, phi) / noise
        self.upper = precision[_upper(len(precision))].tobytes()
        self.shift = (kept * shift + np.einsum("ni,n->i", phi, y) / noise).tobytes()
        self.at = max(self.at, at)


@cache
def _upper(size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where the upper triangle of a matrix lies, row by row. Kept: finding it takes longer than reading by it."""
    return np.triu_indices(size)


@cache
def _places(size: int) -> npt.NDArray[np.intp]:
    """Where in the upper triangle, row by row, each element of a symmetric matrix stands: [d, d]."""
    rows, columns = np.triu_indices(size)
    places = np.empty((size, size), dtype=np.intp)
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    return places


def posterior(prior: GaussianPrior, precision: Floats, shift: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Posterior means μ [d, B], and draws from the posteriors [d, M, B].

    From the evidence D [d, d, B] and h [d, B], and standard normals [d, M, B].
    """
    prior_shift = np.einsum("ij,j->i", prior.precision, prior.mean)
    # Λ = L D Lᵀ, and D⁻¹L⁻¹(Λ₀m + h)
    lower, pivots, half = factor(prior.precision[..., None] + precision, prior_shift[:, None] + shift)
    scaled = prior.width * noise / np.sqrt(pivots)[:, None]
    solved = solve_unit_upper(lower, np.concatenate([half[:, None], scaled], axis=1))  # L⁻ᵀD^-½z has covariance Λ⁻¹
    mean = solved[:, 0]
    return mean, mean[:, None] + solved[:, 1:]
