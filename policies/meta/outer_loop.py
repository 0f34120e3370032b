"""The slow loop for Gaussian beliefs: the prior under which what entities did next was least surprising.

1. Predictive likelihood. For beliefs in closed form, Σ_t log p(y_t | before t) is the marginal likelihood of the whole
   stream, so its maximum over (m, Λ₀, σ²) is found by EM (Dempster, Laird & Rubin 1977) rather than by gradient. The
   shipped prior counts as `ANCHOR` entities (docs/adr/0004): outcomes are seen of chosen actions only.
2. Where slates were drawn with known propensities p, the mean goes on from there by gradient: predictive likelihood,
   plus a clipped doubly robust estimate of what the new policy would earn more (Dudík, Langford & Li 2011), minus the
   KL divergence from the policy that serves. The policy is taken for a softmax of the scores, as wide as exploration;
   its normaliser over the candidates is estimated from the slots, so w_j ∝ exp(s_j)/p_j with mean 1 within a slate.
   The model of reward is the slate's own mean ȳ: the serving model's predictions are what is in doubt, and would decide
   wherever a weight is clipped. So a policy's value over ȳ is mean_j min(w_j, c)·(y_j − ȳ).

The gate asks of drawn slates whether the candidate would rank them so that less is earned (`School.earns`).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from policies.linalg import Floats
from policies.meta.sample import Split, Stream
from policies.meta.slots import Beliefs, Slots, accumulate, believe, log_likelihood, spread, stack, whiten
from policies.slates.evidence import GaussianPrior
from policies.version import Priors

ANCHOR: Final = 20.0
_ANCHOR_SLOTS: Final = 200.0  # what the shipped noise is worth, in outcomes
_ROUNDS: Final = 15
_VARIANCE: Final = (1e-6, 1.0)  # of a weight
_NOISE: Final = (1e-4, 1e2)
_STEPS: Final = 15
_RATE: Final = 0.3  # of a Newton step
_WORTH: Final = 0.005  # of a reward of one noise deviation, in nats of likelihood per outcome
_CLIP: Final = 5.0  # of an importance weight
_NOWHERE: Final = -1e9  # a logit that is as good as −∞, and has a gradient
_FADES: Final = (0.5, 1.0, 2.0)  # multiples of the forgetting time that are tried

_torch: Any = torch  # where its stubs leave the types open
_linalg: Any = np.linalg


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """How a Gaussian domain learns. `memory_ms` is the forgetting time where the prior doesn't name one."""

    shipped: Priors
    memory_ms: float

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        """A candidate, from what lies before the cut; None where there is nothing to learn from."""
        anchor, now = GaussianPrior.of(self.shipped), GaussianPrior.of(serving)
        slots = stack(given.train, anchor.size)
        if not slots.known.any():
            return None
        memory_ms = self._fading(slots, now, serving)
        prior = _fit(slots, anchor, now, memory_ms)
        if slots.drawn.any():
            prior = _steer(slots, prior, now, float(serving["temperature"]), memory_ms)
        fading = {"memory_ms": memory_ms} if "memory_ms" in self.shipped else {}
        return serving | fading | _plain(prior)

    def score(self, given: Split, prior: Priors) -> Floats:
        """Predictive log-likelihood per slot of each judged entity's experiences after the cut [E]."""
        gaussian = GaussianPrior.of(prior)
        slots = stack(given.judged, gaussian.size)
        later = (slots.at >= given.cut) * (slots.count > 0)
        total = (log_likelihood(slots, gaussian, self._memory(prior)) * later).sum(axis=1)
        return total / np.maximum(1.0, (slots.count * later).sum(axis=1))

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        """What a candidate would earn more per slot [E]: judged entities with drawn slates after the cut."""
        drawn: list[Stream] = [[one for one in s if one.drawn or one.at < given.cut] for s in given.judged]
        judged = [stream for stream in drawn if any(one.drawn and one.at >= given.cut for one in stream)]
        new, now = GaussianPrior.of(candidate), GaussianPrior.of(serving)
        slots = stack(judged, now.size)
        if not slots.known.any():
            return np.zeros(0)
        after = believe(new, accumulate(slots, new.noise, self._memory(candidate)))
        before = believe(now, accumulate(slots, now.noise, self._memory(serving)))
        counts = slots.drawn * (slots.at >= given.cut)
        gain = _upper_half(slots, after.mean) - _upper_half(slots, before.mean)
        return (gain * counts).sum(axis=1) / np.maximum(1.0, counts.sum(axis=1))

    def _memory(self, prior: Priors) -> float:
        return float(prior.get("memory_ms", self.memory_ms))

    def _fading(self, slots: Slots, now: GaussianPrior, serving: Priors) -> float:
        """The forgetting time τ of greatest predictive likelihood among a few; it stays where the prior names none."""
        current = self._memory(serving)
        if "memory_ms" not in self.shipped:
            return current
        tried = [(float(log_likelihood(slots, now, current * by).sum()), -abs(by - 1.0), by) for by in _FADES]
        return current * max(tried)[2]


def _plain(prior: GaussianPrior) -> dict[str, Any]:
    """Rounded to float32: far within what data can tell, and the last bits, that hang on the machine, are gone."""
    precision = prior.precision.astype(np.float32).astype(np.float64)
    return {
        "mean": prior.mean.astype(np.float32).astype(np.float64).tolist(),
        "precision": precision.tolist(),
        "noise": float(np.float32(prior.noise)),
    }


# ---- Predictive likelihood: EM -------------------------------------------------------------------------------------


def _fit(slots: Slots, anchor: GaussianPrior, start: GaussianPrior, memory_ms: float) -> GaussianPrior:
    unit = accumulate(slots, 1.0, memory_ms)
    gram, pull = unit.last_precision, unit.last_shift  # ΣφφᵀΔ, Σφy of each entity, faded [E, d, d], [E, d]
    weight = _faded(slots, slots.known.sum(axis=2), memory_ms)
    square = _faded(slots, (slots.y**2).sum(axis=2), memory_ms)
    own = np.linalg.inv(anchor.precision)
    prior = start
    for _ in range(_ROUNDS):
        covariance = np.linalg.inv(prior.precision + gram / prior.noise)
        mean = np.einsum("eij,ej->ei", covariance, prior.precision @ prior.mean + pull / prior.noise)
        count = len(mean) + ANCHOR
        # The mean at its maximum given the rest (ECME; Liu & Rubin 1994): under a tight prior EM alone takes ages.
        told = len(mean) * prior.precision - prior.precision @ covariance.sum(axis=0) @ prior.precision
        right = prior.precision @ np.einsum("eij,ej->i", covariance, pull) / prior.noise
        tied = ANCHOR * prior.precision
        centre: Floats = np.asarray(_linalg.solve(told + tied, right + tied @ anchor.mean), dtype=np.float64)
        off, away = mean - centre, anchor.mean - centre
        second = covariance.sum(axis=0) + np.einsum("ei,ej->ij", off, off) + ANCHOR * (own + np.outer(away, away))
        # Σ‖y − Φμ‖² + tr(ΦᵀΦ C), from the sums
        wrong = square.sum() - 2 * (pull * mean).sum() + ((covariance + _outer(mean)) * gram).sum()
        noise = (wrong + _ANCHOR_SLOTS * anchor.noise) / (weight.sum() + _ANCHOR_SLOTS)
        prior = GaussianPrior(centre, _inverse(second / count), float(np.clip(noise, *_NOISE)))
    return prior


def _outer(mean: Floats) -> Floats:
    return mean[:, :, None] * mean[:, None, :]


def _faded(slots: Slots, each: Floats, memory_ms: float) -> Floats:
    """Σ_t of [E, T], faded as evidence is: [E]."""
    total = np.zeros(len(each))
    for t in range(each.shape[1]):
        kept = np.exp(-np.maximum(0.0, slots.at[:, t] - slots.at[:, max(0, t - 1)]) / memory_ms)
        total = kept * total + each[:, t]
    return total


def _inverse(covariance: Floats) -> Floats:
    """The inverse of a covariance whose variances are kept within reason."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    inverse = (vectors / np.clip(values, *_VARIANCE)) @ vectors.T
    return (inverse + inverse.T) / 2


# ---- What the policy would earn: gradient --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logged:
    """What is known of drawn slots: scores under the serving prior, the width of exploration, propensities, rewards."""

    scores: torch.Tensor  # [E, T, n]
    width: torch.Tensor  # [E, T, 1]
    log_p: torch.Tensor  # [E, T, n]
    off: torch.Tensor  # [E, T, n] y_j − ȳ
    known: torch.Tensor  # [E, T, n]
    counts: torch.Tensor  # [E, T] 1 for what is to be counted

    @classmethod
    def of(cls, slots: Slots, before: Beliefs, temperature: float, counts: Floats) -> "_Logged":
        scores = np.einsum("etni,eti->etn", slots.phi, before.mean)
        off = (slots.y - (slots.y.sum(axis=2) / np.maximum(1.0, slots.count))[..., None]) * slots.known
        return cls(
            scores=torch.as_tensor(scores),
            width=_width(slots, before, temperature),
            log_p=torch.as_tensor(slots.log_p),
            off=torch.as_tensor(off),
            known=torch.as_tensor(slots.known),
            counts=torch.as_tensor(counts),
        )

    def gain(self, scores: torch.Tensor, width: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What these scores would earn more per slot, and KL(serving ‖ theirs): of each experience [E, T]."""
        now, new = self._log_weights(self.scores / self.width), self._log_weights(scores / width)
        slots = self.known.sum(2).clamp_min(1.0)
        more = ((new.exp().clamp(max=_CLIP) - now.exp().clamp(max=_CLIP)) * self.off).sum(2) / slots
        kl = (now.exp() * (now - new) * self.known).sum(2) / slots
        return more * self.counts, kl * self.counts

    def _log_weights(self, logits: torch.Tensor) -> torch.Tensor:
        """log w_j: of the softmax of these logits over the propensity, self-normalised to mean 1 within the slate."""
        ratio = (logits - self.log_p).masked_fill(self.known == 0, _NOWHERE)
        slots = self.known.sum(2, keepdim=True).clamp_min(1.0)
        return (ratio - torch.logsumexp(ratio, 2, keepdim=True) + slots.log()).masked_fill(self.known == 0, 0.0)


def _upper_half(slots: Slots, mean: Floats) -> Floats:
    """What the better half of each slate, as these posterior means [E, T, d] rank it, earned over its mean ȳ [E, T].

    Slots count by 1/p, self-normalised and clipped. Ranks alone matter: neither the scale of the scores nor how much
    is explored, which are no merit of a prior. A slate that is no more than one slot says nothing.
    """
    scores = np.where(slots.known > 0, np.einsum("etni,eti->etn", slots.phi, mean), -np.inf)
    place = np.argsort(np.argsort(-scores, axis=2, kind="stable"), axis=2, kind="stable")
    chosen = (place < slots.count[..., None] // 2) * slots.known
    rare = np.exp(slots.log_p.max(axis=2, where=slots.known > 0, initial=-np.inf)[..., None] - slots.log_p)
    weight = chosen * np.minimum(np.where(slots.known > 0, rare, 0.0), _CLIP)
    each = np.maximum(1.0, slots.count)
    off = slots.y - (slots.y.sum(axis=2) / each)[..., None]
    return (weight * off).sum(axis=2) / np.maximum(1e-12, weight.sum(axis=2))


def _width(slots: Slots, beliefs: Beliefs, temperature: float) -> torch.Tensor:
    """How much exploration blurs the scores [E, T, 1]: by its temperature, and by the spread of posterior draws."""
    variance = np.einsum("etni,etij,etnj->etn", slots.phi, beliefs.covariance, slots.phi)
    each = np.maximum(1.0, slots.count)
    return torch.as_tensor(np.sqrt(temperature**2 + (variance * slots.known).sum(axis=2) / each)[..., None])


def _steer(
    slots: Slots, prior: GaussianPrior, now: GaussianPrior, temperature: float, memory_ms: float
) -> GaussianPrior:
    """Move the mean by gradient; the covariance stays, so that each posterior mean is linear in it: μ = A m + b."""
    beliefs = believe(prior, accumulate(slots, prior.noise, memory_ms))
    before = believe(now, accumulate(slots, now.noise, memory_ms))
    logged = _Logged.of(slots, before, temperature, slots.drawn * (slots.count > 0))
    scale = np.linalg.cholesky(np.linalg.inv(prior.precision))  # m = m_EM + scale u
    slope = np.einsum("etni,etij,jk->etnk", slots.phi, beliefs.covariance, prior.precision @ scale)
    level = np.einsum("etni,eti->etn", slots.phi, beliefs.mean)
    lower = spread(slots, beliefs, prior.noise)
    white = whiten(lower, np.concatenate([slope, (slots.y - level)[..., None]], axis=3))
    d = prior.size
    left, right = white[..., :d].reshape(-1, d), white[..., d].ravel()  # log p = −½‖right − left u‖² + …
    quadratic, linear = torch.as_tensor(left.T @ left), torch.as_tensor(left.T @ right)
    total = float(slots.known.sum())
    width = _width(slots, beliefs, temperature)
    slopes, levels = torch.as_tensor(slope), torch.as_tensor(level)
    curvature = (quadratic + ANCHOR * torch.eye(d, dtype=torch.float64)) / total  # of fit and anchor
    u = torch.zeros(d, dtype=torch.float64)
    for _ in range(_STEPS):
        u = torch.as_tensor(_torch.detach(u)).requires_grad_()
        gain, kl = logged.gain(levels + slopes @ u, width)
        fit = (linear @ u - 0.5 * u @ quadratic @ u - 0.5 * ANCHOR * u @ u) / total
        earned = (gain.sum() / prior.noise**0.5 - kl.sum()) / logged.counts.sum()
        (uphill,) = _torch.autograd.grad(fit + _WORTH * earned, u)
        u = u + _RATE * _torch.linalg.solve(curvature, uphill)
    return GaussianPrior(prior.mean + scale @ u.detach().numpy(), prior.precision, prior.noise)
