"""What each domain's prior must look like to be served by this code: names, shapes, bounds. No bytes, no topic."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from safetensors.numpy import load_file as read_tensors  # pyright: ignore[reportUnknownVariableType] # typed below

from policies import price_ladder
from policies.artefact import Array, ArtefactError
from policies.attention import prior as history
from policies.bidding import pacing
from policies.orders import demand
from policies.orders.demand import DemandPrior
from policies.shipped import FOLDER
from policies.slates import recommend
from policies.slates.evidence import GaussianPrior
from policies.version import PolicyVersion, Priors, apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The prior that ships, and a check that raises ValueError where one of the same shape couldn't be chosen by.

    `serves` is the domain whose decisions are made by it, where that isn't the domain itself.
    """

    prior: Priors
    check: Callable[[Priors], None]
    serves: str = ""
    earlier: tuple[int, ...] = ()  # of how many weights a prior of mean and precision may be: the others are as shipped


def _check_weights(prior: Priors) -> None:
    gaussian = GaussianPrior.of(prior)
    np.linalg.cholesky(gaussian.precision)
    if not np.allclose(gaussian.precision, gaussian.precision.T, rtol=1e-6):
        raise ValueError("the precision is not symmetric")
    if min(gaussian.noise, float(prior["temperature"]), gaussian.width) <= 0.0:
        raise ValueError("noise, temperature and width must be above 0")


def _check_demand(prior: Priors) -> None:
    given = DemandPrior.of(prior)
    if min(given.a, given.b, given.size, given.dispersion, given.half_life_days) <= 0.0:
        raise ValueError("a, b, size, dispersion and half_life_days must be above 0")
    if given.hazard < 0.0:
        raise ValueError("hazard must not be below 0")


def _check_pacing(prior: Priors) -> None:
    if min(float(prior["strength"]), float(prior["lag"]), *prior["ctr"], *prior["cvr"], prior["price"][1]) <= 0.0:
        raise ValueError("strength, lag, ctr, cvr and the price's deviation must be above 0")
    if min(prior["outlook"][1:]) < 0.0:
        raise ValueError("what the outlook is worth must not be below 0")


_WIDEST: Final = 1e6  # of what is believed of an elasticity: beyond it a precision is lost to rounding


def _check_prices(prior: Priors) -> None:
    counted = {name: float(prior[name]) for name in ("base", "base_periods", "choke", "choke_periods", "reviews")}
    if min(counted.values()) < 0.0:
        raise ValueError(f"{min(counted, key=lambda name: counted[name])} must not be below 0")
    for name in ("elasticity_sd", "dispersion", "half_life", "doubt"):
        if float(prior[name]) <= 0.0:
            raise ValueError(f"{name} must be above 0")
    if float(prior["elasticity_sd"]) > _WIDEST:
        raise ValueError(f"elasticity_sd must be at most {_WIDEST:g}")


def _check_encoder(prior: Priors) -> None:
    history.weights_of(prior)


DOMAINS: Final = {
    recommend.DOMAIN: Domain(prior=recommend.PRIOR, check=_check_weights, earlier=recommend.EARLIER),
    pacing.DOMAIN: Domain(prior=pacing.PRIOR, check=_check_pacing),
    demand.DOMAIN: Domain(prior=demand.PRIOR, check=_check_demand),
    price_ladder.DOMAIN: Domain(prior=price_ladder.PRIOR, check=_check_prices),
    history.DOMAIN: Domain(prior=history.PRIOR, check=_check_encoder, serves=recommend.DOMAIN),
}


def changes(one: PolicyVersion, other: PolicyVersion) -> list[str]:
    """The domains in which two versions may decide otherwise, in order."""
    known = ((name, DOMAINS.get(name)) for name in apart(one, other))
    return sorted({(of.serves if of is not None else "") or name for name, of in known})


def fit(version: PolicyVersion) -> PolicyVersion:
    """The version itself, if this code can serve it. Raises ArtefactError with the reason where it can't."""
    for domain, prior in version.priors.items():
        known = DOMAINS.get(domain)
        if known is None:
            raise ArtefactError(f"it has a prior for {domain!r}, and there is no such domain here")
        for name, value in prior.items():
            _fit_one(f"{domain}.{name}", value, _expected(known, domain, name, prior))
        try:
            known.check(version.prior(domain, known.prior))
        except (ValueError, TypeError, np.linalg.LinAlgError) as error:
            raise ArtefactError(f"the prior for {domain} can't be chosen by: {error}") from error
    return version


def _expected(known: Domain, domain: str, name: str, prior: Priors) -> tuple[int, ...] | None:
    """The shape that a tensor must have; None where there is none of that name."""
    shape = shapes(domain).get(name)
    size = len(prior["mean"]) if "mean" in prior and "precision" in prior and known.earlier else 0
    return (size,) * len(shape or ()) if name in ("mean", "precision") and size in known.earlier else shape


def _fit_one(name: str, value: Any, shape: tuple[int, ...] | None) -> None:
    array = np.asarray(value)
    if shape is None:
        raise ArtefactError(f"{name} is not known here")
    if array.shape != shape:
        raise ArtefactError(f"{name} has shape {list(array.shape)}, and must have {list(shape)}")
    if not np.isfinite(array).all():
        raise ArtefactError(f"{name} holds numbers that aren't finite")


@cache
def shapes(domain: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of a domain: those of its prior, and those of the artefact that ships with it."""
    known = {name: np.asarray(value).shape for name, value in DOMAINS[domain].prior.items()}
    path = FOLDER / f"{domain}.safetensors"
    tensors: dict[str, Array] = read_tensors(path) if path.is_file() else {}
    return {name: array.shape for name, array in tensors.items()} | known
