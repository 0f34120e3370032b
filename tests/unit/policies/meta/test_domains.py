"""Which priors a version may hold, and whose decisions each of them makes."""

import numpy as np
import pytest

from infra.versions.pretrained import as_version
from policies.attention.prior import DOMAIN as HISTORIES
from policies.attention.prior import PRIOR, encoder_of
from policies.meta.domains import DOMAINS, changes, fit
from policies.shipped import FOLDER
from policies.slates import recommend
from policies.version import SHIPPED, PolicyVersion
from tests.contract.world import seen_by


def test_another_encoder_changes_what_is_recommended() -> None:
    other = PolicyVersion(number=1, parent=0, priors={HISTORIES: seen_by(7)})
    assert changes(other, SHIPPED) == [recommend.DOMAIN]
    both = PolicyVersion(number=2, parent=0, priors={HISTORIES: seen_by(7), "bidding": {"log_mu": 0.7}})
    assert changes(both, SHIPPED) == ["bidding", recommend.DOMAIN]
    assert changes(both, other) == ["bidding"]


@pytest.mark.parametrize("domain", sorted(DOMAINS))
def test_what_ships_of_a_domain_is_in_its_file_and_nowhere_else(domain: str) -> None:
    """So that the hash of version 0, which is that of the files, says all that it decides by."""
    own = as_version(FOLDER / f"{domain}.safetensors", SHIPPED, 1).priors[domain]
    prior = DOMAINS[domain].prior
    assert prior.keys() <= own.keys()
    assert all(np.array_equal(np.asarray(own[name]), np.asarray(prior[name])) for name in prior)


def test_the_shipped_encoder_can_be_promoted_as_a_file_and_is_the_one_that_ships() -> None:
    version = fit(as_version(FOLDER / "history.safetensors", SHIPPED, 1))
    assert version.prior(HISTORIES, {}).keys() == PRIOR.keys()
    assert encoder_of(version).name == encoder_of(SHIPPED).name
