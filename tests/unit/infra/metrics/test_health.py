"""Alive and ready are two things, and each says why not."""

from dataclasses import dataclass, replace

import pytest

from infra.metrics.health import Health


@dataclass
class Restored:
    begun: bool = True


WELL = Health(
    failed=lambda: False,
    standstills=list[str],
    assigned=lambda: True,
    warm=lambda: True,
    tasks=lambda: [Restored(), Restored()],
    answered=lambda: True,
)


def test_all_is_well() -> None:
    assert (WELL.dead(), WELL.unready()) == ([], [])


@pytest.mark.parametrize(
    ("health", "why"),
    [
        (replace(WELL, answered=lambda: False), "the brokers don't answer"),
        (replace(WELL, assigned=lambda: False), "no partitions are assigned yet"),
        (replace(WELL, warm=lambda: False), "the shared topics aren't read yet"),
        (replace(WELL, tasks=lambda: [Restored(), Restored(begun=False)]), "1 of 2 partitions have no state yet"),
    ],
)
def test_what_waits_is_unready_and_alive(health: Health, why: str) -> None:
    assert (health.dead(), health.unready()) == ([], [why])


def test_without_partitions_it_stands_by() -> None:
    assert replace(WELL, tasks=list[Restored]).unready() == []


def test_what_stands_still_or_has_failed_is_dead() -> None:
    assert replace(WELL, standstills=lambda: ["orders/3 has stood still"]).dead() == ["orders/3 has stood still"]
    assert replace(WELL, standstills=lambda: ["orders/3 has stood still"], answered=lambda: False).dead() == []
    assert replace(WELL, failed=lambda: True).dead() == ["an error has ended the work"]
