"""A policy version comes into force by its number, if its hash holds."""

from dataclasses import replace

from infra.watch import newer
from policies.version import SHIPPED, PolicyVersion
from streams.records import PolicyVersionRecord


def record(number: int) -> PolicyVersionRecord:
    version = PolicyVersion(number=number, parent=0, priors={"bidding": {"mu": 1.5}})
    return PolicyVersionRecord(
        number=number, parent=0, published_at=0, priors=dict(version.priors), evidence={}, sha256=version.sha256
    )


def test_a_higher_number_comes_into_force() -> None:
    assert newer(SHIPPED, record(3)).number == 3


def test_an_older_one_does_not() -> None:
    current = newer(SHIPPED, record(3))
    assert newer(current, record(2)) is current


def test_weights_without_their_hash_are_refused() -> None:
    forged = replace(record(3), priors={"bidding": {"mu": 99.0}})
    assert newer(SHIPPED, forged) is SHIPPED
