"""Which priors a version may hold, and whose decisions each of them makes."""

from hashlib import sha256

import orjson

from infra.versions.pretrained import as_version
from policies.attention.prior import DOMAIN as HISTORIES
from policies.attention.prior import PRIOR, encoder_of
from policies.meta.domains import DOMAINS, changes, fit
from policies.shipped import FOLDER
from policies.slates import recommend
from policies.version import IN_CODE, SHIPPED, PolicyVersion
from tests.contract.world import seen_by


def test_another_encoder_changes_what_is_recommended() -> None:
    other = PolicyVersion(number=1, parent=0, priors={HISTORIES: seen_by(7)})
    assert changes(other, SHIPPED) == [recommend.DOMAIN]
    both = PolicyVersion(number=2, parent=0, priors={HISTORIES: seen_by(7), "bidding": {"log_mu": 0.7}})
    assert changes(both, SHIPPED) == ["bidding", recommend.DOMAIN]
    assert changes(both, other) == ["bidding"]


def test_version_0_is_another_one_where_a_prior_in_code_is_another_one() -> None:
    written = {domain: known.prior for domain, known in sorted(DOMAINS.items())}
    found = sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    assert found == IN_CODE, "a prior that ships has changed: put its new hash into policies.version.IN_CODE"


def test_the_shipped_encoder_can_be_promoted_as_a_file_and_is_the_one_that_ships() -> None:
    version = fit(as_version(FOLDER / "history.safetensors", SHIPPED, 1))
    assert version.prior(HISTORIES, {}).keys() == PRIOR.keys()
    assert encoder_of(version).name == encoder_of(SHIPPED).name
