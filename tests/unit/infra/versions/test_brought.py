"""Which version a file stands for: one that is there already keeps its number."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.versions import record_of
from infra.errors import UserError
from infra.judging.rivals import named
from infra.versions.policy_log import PolicyLog
from infra.versions.pretrained import brought
from policies.artefact import pack
from policies.version import SHIPPED, PolicyVersion, tensors_of

FIRST = PolicyVersion(number=1, parent=0, parent_sha256=SHIPPED.sha256, priors={"replenishment": {"safety": 1.5}})


def trained(path: Path, log_mu: float) -> Path:
    """A file as `tradewind policies pretrain bidding` writes it."""
    tensors = {name.partition(".")[2]: x for name, x in tensors_of({"bidding": {"log_mu": log_mu}}).items()}
    path.write_bytes(pack(tensors, {"schema": "tradewind.bidding-prior/1", "domain": "bidding", "seed": "1"}))
    return path


def test_a_file_that_was_offered_keeps_its_number(tmp_path: Path) -> None:
    path = trained(tmp_path / "prior.safetensors", 0.5)
    offered, said = brought(path, FIRST, [FIRST], 2)
    assert (offered.number, offered.priors.keys(), said) == (2, {"bidding", "replenishment"}, "")
    again, said = brought(path, FIRST, [FIRST, offered], 3)
    assert (again.sha256, "is version 2" in said) == (offered.sha256, True)
    (rival,) = named(str(path), {one.sha256: one for one in (FIRST, offered)}, FIRST)
    assert rival.version.sha256 == offered.sha256  # what replay judges is what a promotion takes


def test_over_another_version_it_is_another_one_and_that_is_said(tmp_path: Path) -> None:
    path = trained(tmp_path / "prior.safetensors", 0.5)
    offered, _ = brought(path, FIRST, [FIRST], 2)
    since = replace(FIRST, number=3, priors={"replenishment": {"safety": 2.0}})
    made, said = brought(path, since, [FIRST, offered, since], 4)
    assert (made.number, made.priors["replenishment"]) == (4, {"safety": 2.0})
    assert "came as version 2 before, and version 3, which serves" in said
    other, said = brought(trained(path, 0.7), FIRST, [FIRST, offered], 3)
    assert (other.number, said) == (3, "")


def test_a_whole_version_is_known_by_its_hash_or_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "whole.safetensors"
    path.write_bytes(FIRST.raw)
    assert brought(path, SHIPPED, [FIRST], 2) == (FIRST, "")
    renumbered = replace(FIRST, number=5)
    assert brought(path, SHIPPED, [renumbered], 6)[0].sha256 == renumbered.sha256


def test_one_that_lost_its_number_to_another_is_brought_anew(tmp_path: Path) -> None:
    """Both were made at the same time: the number means the one that came first."""
    path, taken = tmp_path / "whole.safetensors", replace(FIRST, priors={"bidding": {"log_mu": 0.1}})
    path.write_bytes(FIRST.raw)
    made, _ = brought(path, SHIPPED, [taken, FIRST], 2)
    assert (made.number, made.priors) == (2, FIRST.priors)
    log = PolicyLog()
    for offset, one in enumerate((taken, FIRST)):
        log.add(offset, record_of(one, "offer", by="ann"))
    assert log.find(1).sha256 == taken.sha256
    (sentence,) = log.shared
    assert taken.sha256[:12] in sentence
    assert "doesn't mean it" in sentence


def test_a_file_whose_seed_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    about = {"schema": "tradewind.bidding-prior/1", "domain": "bidding", "seed": "one"}
    path.write_bytes(pack({"log_mu": np.array(0.5)}, about))
    with pytest.raises(UserError, match="can't become a version: invalid literal"):
        brought(path, FIRST, [FIRST], 2)


def test_what_only_looks_like_a_number_is_taken_for_a_name() -> None:
    with pytest.raises(UserError, match="²"):
        list(named("²", {}, FIRST))
