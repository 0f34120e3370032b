"""What the slow loop is worth to slates: the learner beside the live agents, and the same agents under version 0.

    python -m tests.benchmarks.learning.slow_loop [--seeds N] [--first SEED] [--journey HOUSEHOLDS] [--best N] [--quick]

The logs are those of `tests.benchmarks.learning.history`: drawn shops of seeds that no training has met, and households
of Complete Journey; nobody sees the slates, so both runs face the same purchases. Versions of the recommendation prior
are proposed, judged and published as they are while serving; the encoder stays as it ships. Judged are the questions
after the first half of them, against what the visit then buys: recall and nDCG at ten, learner off, on, and the
difference ± its standard error, over users. A version's hash is part of its dice, so some of a difference is chance.

`--best N` asks how often a version is published where none should be: slates of a shop's own candidates, drawn by a
prior that explores as little as any may, with purchases drawn by that prior's own scores, N times.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Final

import msgspec
import numpy as np

from agents.learner import AT_LEAST, LearnerAgent
from infra.evaluate.shop_log import K, Log, Question, log_of, played
from infra.history.message import Message
from infra.serving.tuning import settle
from policies.linalg import Floats
from policies.meta.sample import Episode, Stream
from policies.meta.schools import SCHOOLS
from policies.meta.steering import LEAST
from policies.meta.trial import attempt
from policies.slates.evidence import GaussianPrior
from policies.slates.recommend import DOMAIN, FEATURES, PRIOR, SCALE
from policies.slates.slate import Query, choose
from policies.version import Priors
from streams.records import Decision, PolicyVersionRecord, Recommendation
from streams.topics import DECISIONS, POLICY_VERSIONS, RECOMMENDATIONS
from tests.benchmarks.learning.history import UNSEEN, journey_log, shops

NEVER: Final = 10**9  # experiences before a domain learns
JUDGED: Final = 0.5  # of the questions come before those that are judged


@dataclass(slots=True)
class Run:
    """What the agents put out: the slates by the event that asked, and what became of candidates."""

    slates: dict[str, list[str]]
    versions: list[PolicyVersionRecord]
    seconds: float


def served(log: Log, *, learns: bool) -> Run:
    """One pass over the log."""
    began = time.process_time()
    found = Run({}, [], 0.0)
    for made in outputs(log, learns=learns):
        if made.value is not None and made.topic is RECOMMENDATIONS:
            one = msgspec.json.decode(made.value, type=Recommendation)
            found.slates[one.event_id] = [item.item_id for item in one.items]
        elif made.value is not None and made.topic is POLICY_VERSIONS:
            found.versions.append(msgspec.json.decode(made.value, type=PolicyVersionRecord))
    found.seconds = time.process_time() - began
    return found


def outputs(log: Log, *, learns: bool) -> Iterator[Message]:
    never = dict.fromkeys(AT_LEAST, NEVER) | {DOMAIN: AT_LEAST[DOMAIN]}
    return played(log, learner=LearnerAgent(at_least=never) if learns else None)


def judged(log: Log) -> list[Question]:
    """The later questions, in order of time."""
    at = {event.event_id: event.occurred_at for event in log.events}
    asked = sorted(log.questions, key=lambda one: at[one.event_id])
    return asked[int(JUDGED * len(asked)) :]


def scores(slate: Sequence[str], wanted: Sequence[str]) -> tuple[float, float]:
    """Recall and nDCG at ten of one slate."""
    many = len(set(wanted))
    gain = sum(1.0 / log2(2 + place) for place, item in enumerate(slate) if item in wanted)
    return len(set(slate) & set(wanted)) / many, gain / sum(1.0 / log2(2 + place) for place in range(min(K, many)))


def compared(name: str, log: Log, owners: dict[str, str]) -> Floats:
    """A line for one log; recall and nDCG with the learner off, and on [2, 2]."""
    off, on = served(log, learns=False), served(log, learns=True)
    questions = judged(log)
    both = np.array([[scores(run.slates[one.event_id], one.wanted) for run in (off, on)] for one in questions])
    whose = [owners[one.event_id] for one in questions]
    acts = [one.act for one in on.versions]
    (recall, ndcg), (more_recall, more_ndcg) = both.mean(axis=0)
    error_recall, error_ndcg = (_error(both[:, 1, kind] - both[:, 0, kind], whose) for kind in (0, 1))
    print(
        f"{name:12} {len(questions):6} {acts.count('publish'):5} {acts.count('reject'):5}   "
        f"{recall:.4f} {more_recall:.4f} {more_recall - recall:+.4f} ±{error_recall:.4f}   "
        f"{ndcg:.4f} {more_ndcg:.4f} {more_ndcg - ndcg:+.4f} ±{error_ndcg:.4f}   {on.seconds - off.seconds:5.1f}",
        flush=True,
    )
    return both.mean(axis=0)


def _error(more: Floats, whose: Sequence[str]) -> float:
    """The standard error of the mean over questions, of which one user's are not independent."""
    off = defaultdict[str, float](float)
    for who, by in zip(whose, (more - more.mean()).tolist(), strict=True):
        off[who] += by
    return float(np.sqrt(sum(by * by for by in off.values())) / len(more))


def _owners(log: Log) -> dict[str, str]:
    return {event.event_id: event.user_id for event in log.events}


# ---- Where the prior that serves is the best already ---------------------------------------------------------------


def published_over_the_best(count: int, first: int) -> None:
    """How many of `count` attempts publish something over a prior that is the truth."""
    best: Priors = PRIOR | {name: LEAST * PRIOR[name] for name in ("width", "temperature")}
    (shop,) = shops(1, first)
    log = log_of(shop)
    if log is None:
        return
    asked = _asked(log)
    passed = 0
    for seed in range(count):
        trial = attempt(SCHOOLS[DOMAIN], _foretold(asked, best, np.random.default_rng(seed)), best)
        passed += trial is not None and trial.passed
    print(f"\nwhere the prior that serves is the best one: {passed} of {count} attempts published")


def _asked(log: Log) -> list[Decision]:
    made = (one for one in outputs(log, learns=False) if one.topic is DECISIONS and one.value is not None)
    decisions = [msgspec.json.decode(one.value or b"", type=Decision) for one in made]
    return [one for one in decisions if one.candidates]


def _foretold(asked: Sequence[Decision], prior: Priors, rng: np.random.Generator) -> list[tuple[str, Stream]]:
    """Streams in which every slate is drawn by the prior, and bought from as often as that expects."""
    streams = defaultdict[str, Stream](list)
    gaussian, size = GaussianPrior.of(prior), len(FEATURES)
    features: list[Any] = [one.features["phi"] for one in asked]
    queries = [
        Query(
            phi=np.array(phi) / SCALE,
            precision=np.zeros((size, size)),
            shift=np.zeros(size),
            seed=int(rng.integers(2**63)),
            size=K,
        )
        for phi in features
    ]
    for one, query, slate in zip(asked, queries, choose(queries, gaussian, float(prior["temperature"])), strict=True):
        phi = query.phi[slate.chosen]
        y = (rng.random(len(phi)) < np.clip(phi @ gaussian.mean, 0.0, 1.0)).astype(np.float64)
        drawn = np.array(slate.slot_propensities)
        streams[one.entity].append(Episode(at=int(one.occurred_at), phi=phi, y=y, propensities=drawn))
    return [(name, stream[-16:]) for name, stream in streams.items()]


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=8, help="drawn shops")
    given.add_argument("--first", type=int, default=100, help="the seed of the first one, among the unseen")
    given.add_argument("--journey", type=int, default=100, help="households of Complete Journey; 0: none")
    given.add_argument("--best", type=int, default=40, help="attempts where the prior that serves is the best; 0: none")
    given.add_argument("--quick", action="store_true", help="two shops, thirty households, ten attempts")
    asked = given.parse_args()
    if asked.quick:
        asked = argparse.Namespace(seeds=2, first=asked.first, journey=30, best=10)
    settle()
    print("the learner off, and on; versions published and refused; recall and nDCG at ten of the later questions")
    print(f"{'log':12} {'asked':>6} {'publ.':>5} {'ref.':>5}   {'recall':6} {'on':6} {'more':15}   ", end="")
    print(f"{'nDCG':6} {'on':6} {'more':15}   seconds of learning")
    found = [
        compared(f"shop {shop.seed - UNSEEN}", log, _owners(log))
        for shop in shops(asked.seeds, asked.first)
        if (log := log_of(shop)) is not None
    ]
    if len(found) > 1:
        more = np.array([each[1] - each[0] for each in found])
        (recall, ndcg), spread = more.mean(axis=0), more.std(axis=0, ddof=1) / np.sqrt(len(more))
        before, worst = np.mean(found, axis=0)[0], more.min(axis=0)
        print(
            f"{len(found)} shops: recall {recall:+.4f} ±{spread[0]:.4f} ({recall / before[0]:+.1%}), "
            f"nDCG {ndcg:+.4f} ±{spread[1]:.4f} ({ndcg / before[1]:+.1%}); worst {worst[0]:+.4f} and {worst[1]:+.4f}"
        )
    if asked.journey:
        log = journey_log(asked.journey)
        compared(f"journey {asked.journey}", log, _owners(log))
    if asked.best:
        published_over_the_best(asked.best, asked.first)


if __name__ == "__main__":
    main()
