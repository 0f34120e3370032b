"""A new encoder makes of a user's last slates what it would have made; what is older says nothing of it."""

from typing import Any

import numpy as np
import pytest

from policies.attention.encoder import KINDS, ONE, History
from policies.attention.prior import PRIOR, Encoder, encoder_of
from policies.attention.scene import WIDTH, Scene, read
from policies.linalg import Floats
from policies.slates.evidence import Evidence
from policies.slates.recommend import ENCODED, FEATURES, SCALE
from policies.slates.ring import RING, Kept, under
from policies.version import SHIPPED, PolicyVersion

MEMORY, NOISE, SLOTS = 90.0 * 86_400_000, 0.15, 10
OTHER = {name: (0.3 * np.array(value)).tolist() for name, value in PRIOR.items()}


def encoders() -> tuple[Encoder, Encoder]:
    return encoder_of(SHIPPED), encoder_of(PolicyVersion(number=1, parent=0, priors={"history": OTHER}))


def tokens(rng: np.random.Generator, count: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    found = np.rint(rng.normal(0, 9, (count, WIDTH))).astype(np.float32)
    found[:, -1] = ONE
    return found


def scene(rng: np.random.Generator) -> Scene:
    past = History(tokens(rng, 6), rng.random(6), rng.integers(0, len(KINDS), 6))
    places = np.flatnonzero(rng.random(SLOTS) < 0.7)
    return Scene.of(past, places, tokens(rng, len(places)), rng.random(len(places)), SLOTS)


def kept(rng: np.random.Generator, number: int) -> Kept:
    contexts = rng.integers(0, SCALE, (SLOTS, len(FEATURES))).astype(np.int32)
    rewards = (rng.random(SLOTS) < 0.2).astype(np.float64)
    at = 1_483_228_800_000 + number * 86_400_000
    return Kept(f"d{number}", SLOTS, contexts.tobytes(), scene(rng).pack(), rewards.tobytes(), at, NOISE)


def learned(ring: list[Kept], encoder: Encoder) -> Evidence:
    evidence = Evidence(encoder=encoder.name)
    for one in ring:
        y = np.frombuffer(one.rewards)
        evidence.add(one.features(encoder), y, noise=one.noise, at=one.at, memory_ms=MEMORY)
    return evidence


def same(one: Evidence, other: Evidence) -> None:
    for found, expected in zip(one.read(len(FEATURES)), other.read(len(FEATURES)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    assert (one.encoder, one.at) == (other.encoder, other.at)


@pytest.mark.parametrize("count", [0, 1, RING])
def test_another_encoder_learns_what_it_would_have_learned(count: int) -> None:
    ours, theirs = encoders()
    ring = [kept(np.random.default_rng(n), n) for n in range(count)]
    made = under(learned(ring, ours), theirs, ring, memory_ms=MEMORY)
    same(made, learned(ring, theirs))
    if count:
        assert not np.allclose(made.read(len(FEATURES))[1], learned(ring, ours).read(len(FEATURES))[1])
    same(under(made, ours, reversed(ring), memory_ms=MEMORY), learned(ring, ours))


def test_what_is_older_than_the_ring_still_tells_of_all_other_features() -> None:
    ours, theirs = encoders()
    ring = [kept(np.random.default_rng(n), n) for n in range(3 * RING)]
    before = learned(ring, ours)
    made = under(before, theirs, ring[-RING:], memory_ms=MEMORY)
    others = np.delete(np.arange(len(FEATURES)), ENCODED)
    for found, expected in zip(made.read(len(FEATURES)), before.read(len(FEATURES)), strict=True):
        np.testing.assert_array_equal(
            found[others][..., others] if found.ndim == 2 else found[others],
            expected[others][..., others] if found.ndim == 2 else expected[others],
        )
    precision = made.read(len(FEATURES))[0]
    assert np.linalg.eigvalsh(precision).min() > -1e-9 * np.abs(precision).max()
    assert precision[ENCODED, ENCODED] < learned(ring, theirs).read(len(FEATURES))[0][ENCODED, ENCODED]


def test_a_slate_whose_outcome_isnt_known_says_nothing_yet() -> None:
    ours, theirs = encoders()
    ring = [kept(np.random.default_rng(n), n) for n in range(3)]
    before = learned(ring[:2], ours)
    ring[2].rewards = b""
    same(under(before, theirs, ring, memory_ms=MEMORY), learned(ring[:2], theirs))


def test_a_scene_comes_back_from_bytes_and_from_the_log_as_it_was() -> None:
    one = scene(np.random.default_rng(3))
    for other in (Scene.unpack(one.pack(), SLOTS), read(one.logged(), SLOTS)):
        assert other.pack() == one.pack()
        np.testing.assert_array_equal(other.worth, one.worth)
        np.testing.assert_array_equal(other.past.ages, one.past.ages)


@pytest.mark.parametrize("part", ["past", "ages", "kinds", "places", "items", "worth"])
def test_a_damaged_scene_is_refused(part: str) -> None:
    logged = scene(np.random.default_rng(4)).logged()
    with pytest.raises(ValueError, match=r"disagree|reshape|multiple|missing"):
        read({**logged, part: logged[part][:-8]}, SLOTS)
    with pytest.raises(ValueError, match="missing"):
        read({name: value for name, value in logged.items() if name != part}, SLOTS)


def test_the_items_of_a_part_of_the_scene_are_the_same() -> None:
    def told(one: Scene) -> list[tuple[int, float]]:
        return list(zip(one.places.tolist(), one.worth.tolist(), strict=True))

    one = scene(np.random.default_rng(5))
    worth: Floats = np.zeros(SLOTS)
    worth[one.places] = one.worth
    wanted = [7, 2, 5]
    assert told(one.at(wanted)) == [(n, worth[place]) for n, place in enumerate(wanted) if place in one.places]
