"""A shop's purchases teach its encoder: what is foretold of others gets better; what can't be read is passed over."""

import numpy as np
import pytest

from policies.attention import school
from policies.attention.encoder import ONE, SEGMENTS, History
from policies.attention.experience import LONGEST, Purchase, bought, rows_of
from policies.attention.prior import DOMAIN, PRIOR, encoder_of
from policies.attention.school import FEWEST, Histories
from policies.meta.domains import fit
from policies.meta.sample import Episode, Split, Stream, split
from policies.meta.trial import attempt
from policies.version import PolicyVersion

EMBEDDING, WORDS, _ = SEGMENTS


def token(rng: np.random.Generator, lot: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """An item of one of eight lots, told by the words alone: the embedding is noise."""
    words = np.random.default_rng(lot).normal(size=WORDS)
    parts = [rng.normal(size=EMBEDDING), words, rng.normal(size=SEGMENTS[2])]
    return np.rint(np.concatenate([ONE * part / np.linalg.norm(part) for part in parts] + [np.array([ONE])])).astype(
        np.float32
    )


def shop(people: int, *, alike: bool, each: int = 6) -> list[tuple[str, Stream]]:
    """Users who buy items of the lot that they looked at last, or whatever comes."""
    rng = np.random.default_rng(2)
    found: list[tuple[str, Stream]] = []
    for person in range(people):
        stream: Stream = []
        for n in range(each):
            lots = rng.integers(0, 8, 4)
            past = History(
                np.array([token(rng, int(lot)) for lot in lots]), np.arange(4) / 24.0, np.zeros(4, dtype=int)
            )
            wanted = int(lots[0]) if alike else int(rng.integers(0, 8))
            rows = np.array(rows_of(token(rng, wanted), past))
            stream.append(Episode(at=n * 1000 + person, phi=rows, y=np.array(bought(past)), propensities=np.zeros(0)))
        found.append((f"u{person}", stream))
    return found


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it doesn't matter how much is learned."""
    monkeypatch.setattr(school, "STEPS", 8)


def test_what_a_shop_shows_is_learned_and_foretells_others() -> None:
    trial = attempt(Histories(), shop(80, alike=True), PRIOR)
    assert trial is not None
    assert trial.passed
    assert trial.foretold.lower > 0.05
    made = fit(PolicyVersion.read(PolicyVersion(number=1, parent=0, priors={DOMAIN: trial.candidate}).raw))
    assert encoder_of(made).name != encoder_of(PolicyVersion(number=0, parent=0, priors={})).name
    learned = encoder_of(made).weights
    assert np.abs(learned.attend[:, 1]).max() > np.abs(learned.attend[:, 0]).max()  # words rather than embeddings


def test_it_learns_the_same_again(few_steps: None) -> None:
    streams = shop(64, alike=True, each=4)
    first, second = (attempt(Histories(), streams, PRIOR) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.candidate == second.candidate


def test_where_nothing_hangs_on_the_past_the_lift_is_unlearned(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = attempt(Histories(), shop(80, alike=False), PRIOR)
    assert trial is not None
    assert trial.foretold.gain > 0.2
    monkeypatch.setattr(school, "STEPS", 30)
    again = attempt(Histories(), shop(80, alike=False), trial.candidate)
    assert again is not None
    assert abs(again.foretold.gain) < 0.02  # there is nothing left to gain


def test_of_few_purchases_nothing_is_learned() -> None:
    assert attempt(Histories(), shop(2, alike=True, each=FEWEST // 3), PRIOR) is None


def test_experiences_that_are_none_of_a_purchase_are_passed_over(few_steps: None) -> None:
    given = split(shop(40, alike=True), 0, 3000)
    odd = Episode(at=5000, phi=np.ones((3, 5)), y=np.ones(3), propensities=np.zeros(0))
    mixed = Split(train=[*given.train, [odd]], judged=[*given.judged, [odd]], cut=given.cut)
    assert Histories().propose(mixed, PRIOR) == Histories().propose(given, PRIOR)
    assert Histories().score(mixed, PRIOR).tolist() == [*Histories().score(given, PRIOR).tolist(), 0.0]


def test_a_long_history_is_cut_to_its_nearest_part() -> None:
    rng = np.random.default_rng(0)
    past = History(np.array([token(rng, 1) for _ in range(20)]), np.arange(20.0), np.zeros(20, dtype=int))
    rows = rows_of(token(rng, 2), past)
    assert len(rows) == len(bought(past)) == LONGEST + 1
    assert Purchase(np.array(rows)).ages.tolist() == list(range(LONGEST))


@pytest.mark.parametrize("rows", [np.zeros((1, 34)), np.zeros((3, 33)), np.zeros((40, 34)), np.zeros(34)])
def test_rows_that_are_no_purchase_are_refused(rows: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> None:
    with pytest.raises(ValueError, match="none of a purchase"):
        Purchase(rows)
