"""The ring: the last N in order, and a new encoder learns what it would have learned of them."""

import numpy as np
import pytest

from policies.beliefs.gaussian import Evidence
from policies.beliefs.ring import Encoded, Ring
from policies.linalg import Floats

NOISE, MEMORY = 0.5, 1000.0


def plain(raw: Floats) -> Floats:
    return raw


def squared(raw: Floats) -> Floats:
    return np.concatenate([raw, raw * raw], axis=1)


def experiences(n: int) -> list[tuple[Floats, float, float]]:
    rng = np.random.default_rng(0)
    return [(rng.normal(size=2), float(rng.normal()), 1e12 + 100.0 * i) for i in range(n)]


@pytest.mark.parametrize("n", [0, 3, 4, 11])
def test_it_holds_the_last_in_order(n: int) -> None:
    ring = Ring.empty(4, 2)
    told = experiences(n)
    for raw, reward, at in told:
        ring = ring.add(raw, reward, at)
    raw, rewards, _ = ring.in_order()
    assert rewards.tolist() == [reward for _, reward, _ in told[-4:]]
    assert raw.shape == (min(n, 4), 2)


def test_a_new_encoder_learns_what_it_would_have_learned() -> None:
    told = experiences(6)
    old = Encoded(ring=Ring.empty(8, 2), encoder="a", evidence=Evidence.none(2, 1))
    new = Encoded(ring=Ring.empty(8, 2), encoder="b", evidence=Evidence.none(4, 1))
    for raw, reward, at in told:
        old = old.learn(raw, reward, at, encode=plain, noise=NOISE, memory_ms=MEMORY)
        new = new.learn(raw, reward, at, encode=squared, noise=NOISE, memory_ms=MEMORY)
    again = old.under("b", squared, noise=NOISE, memory_ms=MEMORY)
    assert again.evidence.precision == pytest.approx(new.evidence.precision)
    assert again.evidence.shift == pytest.approx(new.evidence.shift)
    assert old.under("a", squared, noise=NOISE, memory_ms=MEMORY) is old


def test_adding_leaves_the_earlier_ring_as_it_was() -> None:
    first = Ring.empty(2, 1).add(np.ones(1), 1.0, 1.0)
    first.add(np.zeros(1), 2.0, 2.0)
    assert first.in_order()[1].tolist() == [1.0]
