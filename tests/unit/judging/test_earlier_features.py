"""Logs and versions of when there were fewer features are still read: made again exactly, and served filled up."""

import numpy as np
import orjson
import pytest

from infra.judging.logged import decided
from infra.judging.remake import Remade, Unable, remake
from policies.artefact import ArtefactError
from policies.meta.domains import fit
from policies.slates.evidence import Evidence, GaussianPrior
from policies.slates.recommend import DOMAIN, EARLIER, FEATURES, PRIOR, SCALE, prior_of, query
from policies.slates.slate import choose
from policies.version import PolicyVersion

D = EARLIER[-1]


def earlier() -> PolicyVersion:
    """A version as it was learned when there were D features."""
    rng = np.random.default_rng(1)
    prior = {"mean": rng.random(D).tolist(), "precision": (900.0 * np.eye(D)).tolist()}
    return PolicyVersion(number=3, parent=0, priors={DOMAIN: prior})


def logged(version: PolicyVersion, names: list[str]) -> bytes:
    """A decision as it was logged then."""
    rng = np.random.default_rng(2)
    phi = rng.integers(0, SCALE, (30, D))
    evidence = Evidence()
    evidence.add(rng.random((4, D)), rng.random(4), noise=0.15, at=1, memory_ms=1e9)
    own = version.priors[DOMAIN]
    then = GaussianPrior(np.array(own["mean"]), np.array(own["precision"]), float(PRIOR["noise"]))
    (slate,) = choose([query(phi, evidence, 77, 5)], then, float(PRIOR["temperature"]))
    upper, shift = evidence.told(D)
    items = [f"i{n}" for n in range(30)]
    told = {
        "decision_id": "d",
        "domain": DOMAIN,
        "entity": "ann",
        "decided_at": 1,
        "features": {
            "names": names,
            "unit": SCALE,
            "phi": phi.tolist(),
            "belief": {"precision_upper": upper.tolist(), "shift": shift.tolist()},
        },
        "candidates": items,
        "chosen": [items[place] for place in slate.chosen],
        "action": {"placement": "home", "size": 5},
        "propensity": slate.propensity,
        "slot_propensities": slate.slot_propensities,
        "policy_version": version.number,
        "policy_hash": version.sha256,
        "seed": "77",
    }
    return orjson.dumps(told)


def test_a_decision_of_fewer_features_is_made_again_to_the_bit() -> None:
    version = earlier()
    one = decided(logged(version, list(FEATURES[:D])))
    (made,) = remake([one], {version.sha256: version})
    assert isinstance(made, Remade)
    assert made.propensity == one.propensity
    assert made.fields == {"chosen": one.chosen, "slot_propensities": one.slot_propensities}


@pytest.mark.parametrize("names", [list(FEATURES[: D - 1]), ["other", *FEATURES[1:D]]])
def test_features_that_never_were_are_refused_with_the_reason(names: list[str]) -> None:
    version = earlier()
    (made,) = remake([decided(logged(version, names))], {version.sha256: version})
    assert isinstance(made, Unable)
    assert made.why == "features-of-another-version"


def test_a_version_of_fewer_features_serves_with_the_others_as_shipped() -> None:
    version = fit(PolicyVersion.read(earlier().raw))
    prior, _ = prior_of(version)
    assert prior.size == len(FEATURES)
    assert prior.mean[:D].tolist() == version.priors[DOMAIN]["mean"]
    assert prior.mean[D:].tolist() == PRIOR["mean"][D:]
    assert prior.precision[D, D] == PRIOR["precision"][D][D]


@pytest.mark.parametrize("size", [D - 1, len(FEATURES) + 1])
def test_a_version_of_any_other_size_is_refused(size: int) -> None:
    prior = {"mean": [0.0] * size, "precision": np.eye(size).tolist()}
    with pytest.raises(ArtefactError, match="has shape"):
        fit(PolicyVersion(number=1, parent=0, priors={DOMAIN: prior}))
