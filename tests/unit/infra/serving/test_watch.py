"""What a worker does with the records of `policy-versions`: it follows them, and tells of what it refuses, once."""

import logging

import pytest
from msgspec.structs import replace

from agents.versions import Serving, record_of
from infra.serving.watch import Watcher, follow
from infra.settings import load
from policies.experiments import NONE
from policies.version import SHIPPED, PolicyVersion


def test_a_version_comes_into_force_and_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    serving = Serving()
    made = PolicyVersion(number=1, parent=0, parent_sha256=SHIPPED.sha256, priors={"bidding": {"log_mu": 1.5}})
    with caplog.at_level(logging.INFO):
        follow(serving, record_of(made, "publish", by="learner"))
    assert serving.current.sha256 == made.sha256
    assert "policy version 1 serves (publish by learner)" in caplog.text


def test_a_damaged_one_is_an_error_that_names_what_goes_on_serving(caplog: pytest.LogCaptureFixture) -> None:
    serving = Serving()
    made = PolicyVersion(number=1, parent=0, priors={"bidding": {"log_mu": 1.5}})
    follow(serving, replace(record_of(made, "promote", by="ann"), sha256="0" * 64))
    assert serving.current is SHIPPED
    (said,) = caplog.records
    assert said.levelno == logging.ERROR
    assert "version 1 is refused: the artefact's sha256 is" in said.getMessage()
    assert said.getMessage().endswith("version 0 goes on serving")


def test_the_versions_of_an_experiment_are_at_hand_once_they_are_in_the_log() -> None:
    trial = {"name": "warm", "domain": "bidding", "arms": {"v5": 0.5}}
    watcher = Watcher(load(experiments=[trial]), [])
    assert watcher.experiments().missing == {"warm": [5]}
    made = PolicyVersion(number=5, parent=3, parent_sha256="0" * 64, priors={"bidding": {"log_mu": 1.5}})
    follow(watcher.serving, record_of(made, "publish", by="learner"))
    assert watcher.policy() is SHIPPED
    assert watcher.experiments().missing == {}
    assert watcher.experiments().versions[5].sha256 == made.sha256
    assert watcher.experiments() is watcher.experiments()
    assert Watcher(load(), []).experiments() is NONE
