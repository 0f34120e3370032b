"""A version as an artefact: what goes in comes out, and what can't be served says why."""

import subprocess
import sys
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from policies.artefact import ArtefactError
from policies.meta.domains import fit
from policies.slates.recommend import DOMAIN, PRIOR
from policies.version import MAX_BYTES, SHIPPED, PolicyVersion, shipped_sha256

EVIDENCE = {"domain": "bidding", "log_likelihood": {"gain": 0.25, "lower": 0.125}}


def version(**priors: Any) -> PolicyVersion:
    given = priors or {DOMAIN: dict(PRIOR), "bidding": {"log_mu": 0.5, "ctr": [1.0, 99.0]}}
    return PolicyVersion(
        number=7, parent=6, parent_sha256="ab", priors=given, published_at=1234, seed=5, evidence=EVIDENCE
    )


def test_what_was_written_is_read() -> None:
    made = version()
    found = PolicyVersion.read(made.raw, expected=made.sha256)
    assert found == made
    assert found.raw == made.raw
    assert found.sha256 == sha256(made.raw).hexdigest()


def test_weights_stay_arrays() -> None:
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = PolicyVersion.read(version(replenishment={"w": weights, "a": 2.0}).raw)
    assert found.priors["replenishment"]["w"].dtype == np.float32
    np.testing.assert_array_equal(found.priors["replenishment"]["w"], weights)
    assert found.priors["replenishment"]["a"] == 2.0


def test_every_process_writes_the_same_bytes() -> None:
    program = (
        "from policies.version import PolicyVersion as V;"
        "prior = {'log_mu': 0.5, 'ctr': [1.0, 9.0]};"
        "print(V(number=1, parent=0, priors={'bidding': prior}, evidence={'b': 1, 'a': 2}).sha256)"
    )
    said = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(said) == 1


@pytest.mark.parametrize("place", [9, 40, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    made = version()
    damaged = bytearray(made.raw)
    damaged[place] ^= 1
    with pytest.raises(ArtefactError, match="damaged or replaced"):
        PolicyVersion.read(bytes(damaged), expected=made.sha256)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not a safetensors"),
        (b"\x80\x04pickle", "not a safetensors"),
        (version().raw[:-8], "not a safetensors"),
        (version().raw.replace(b"tradewind.policy-version/1", b"tradewind.policy-version/9"), "schema"),
        (version().raw.replace(b'"number":"7"', b'"number":"x"'), "header can't be read"),
        (b"\0" * (MAX_BYTES + 1), "no more than"),
    ],
)
def test_what_is_no_version_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(ArtefactError, match=reason):
        PolicyVersion.read(raw)


def test_text_is_no_number() -> None:
    with pytest.raises(ArtefactError, match=r"bidding\.log_mu is not made of numbers"):
        _ = version(bidding={"log_mu": "much"}).raw


@pytest.mark.parametrize(
    ("priors", "reason"),
    [
        ({"gardening": {"a": 1.0}}, "no such domain"),
        ({"bidding": {"log_nu": 1.0}}, "log_nu is not known here"),
        ({"bidding": {"log_mu": [1.0]}}, r"shape \[1\], and must have \[\]"),
        ({DOMAIN: {"mean": [0.0] * 3}}, "and must have"),
        ({"bidding": {"log_mu": float("nan")}}, "aren't finite"),
        ({"bidding": {"strength": 0.0}}, "above 0"),
        ({"replenishment": {"a": -1.0}}, "above 0"),
        ({DOMAIN: {"noise": -0.1}}, "above 0"),
        ({DOMAIN: {"width": 0.0}}, "above 0"),
        ({DOMAIN: {"precision": np.zeros_like(PRIOR["precision"]).tolist()}}, "can't be chosen by"),
    ],
)
def test_what_this_code_cannot_choose_by_is_refused_with_the_reason(priors: Any, reason: str) -> None:
    with pytest.raises(ArtefactError, match=reason):
        fit(PolicyVersion.read(version(**priors).raw))


def test_what_is_left_out_is_as_shipped() -> None:
    found = fit(PolicyVersion.read(version(recommendation={"noise": 0.5}).raw))
    assert found.prior(DOMAIN, PRIOR) == PRIOR | {"noise": 0.5}
    assert found.prior("bidding", {"log_mu": 0.0}) == {"log_mu": 0.0}
    assert SHIPPED.prior(DOMAIN, PRIOR) is PRIOR


def test_the_shipped_version_is_named_by_what_ships() -> None:
    assert shipped_sha256().encode() in SHIPPED.raw
