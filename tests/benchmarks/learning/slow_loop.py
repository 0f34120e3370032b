"""What the slow loop is worth to slates: the flat prior, the one that ships, and the one that a learner makes of it.

    python -m tests.benchmarks.learning.slow_loop [--seeds N] [--first SEED] [--journey HOUSEHOLDS] [--best N] [--quick]

The logs are drawn shops of seeds that no training has met, with tastes (as in `tests.benchmarks.learning.history`) and
with habits, and households of Complete Journey; nobody sees the slates, so all runs face the same purchases. Versions
of the recommendation prior are proposed, judged and published as they are while serving; the encoder stays as it ships.
Judged are the questions after the first half of them, against what the visit then buys: recall and nDCG at ten, and
what the learner adds to the prior that ships ± its standard error, over users. A version's hash is part of its dice, so
some of a difference is chance.

`--best N` asks how often a version is published where none should be: slates of a shop's own candidates, drawn by a
prior that explores as little as any may, with purchases drawn by that prior's own scores, N times.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import log2
from typing import Any, Final

import msgspec
import numpy as np

from agents.learner import AT_LEAST, LearnerAgent
from infra.evaluate.shop_log import K, Log, Question, basket_log, log_of, played
from infra.history.message import Message
from infra.serving.tuning import settle
from policies.linalg import Floats
from policies.meta.sample import Episode, Stream
from policies.meta.schools import SCHOOLS
from policies.meta.steering import LEAST
from policies.meta.trial import attempt
from policies.slates.evidence import GaussianPrior
from policies.slates.recommend import DOMAIN, FEATURES, FLAT, PRIOR, SCALE
from policies.slates.slate import Query, choose
from policies.tasks.shop import draw_task
from policies.version import SHIPPED, PolicyVersion, Priors
from streams.records import Decision, PolicyVersionRecord, Recommendation
from streams.topics import DECISIONS, POLICY_VERSIONS, RECOMMENDATIONS
from tests.benchmarks.learning.history import UNSEEN, journey_log, shops

NEVER: Final = 10**9  # experiences before a domain learns
FLATLY: Final = PolicyVersion(number=1, parent=0, priors={DOMAIN: FLAT})
JUDGED: Final = 0.5  # of the questions come before those that are judged


@dataclass(slots=True)
class Run:
    """What the agents put out: the slates by the event that asked, and what became of candidates."""

    slates: dict[str, list[str]]
    versions: list[PolicyVersionRecord]
    seconds: float


def served(log: Log, *, learns: bool = False, policy: PolicyVersion = SHIPPED) -> Run:
    """One pass over the log."""
    began = time.process_time()
    found = Run({}, [], 0.0)
    for made in outputs(log, learns=learns, policy=policy):
        if made.value is not None and made.topic is RECOMMENDATIONS:
            one = msgspec.json.decode(made.value, type=Recommendation)
            found.slates[one.event_id] = [item.item_id for item in one.items]
        elif made.value is not None and made.topic is POLICY_VERSIONS:
            found.versions.append(msgspec.json.decode(made.value, type=PolicyVersionRecord))
    found.seconds = time.process_time() - began
    return found


def outputs(log: Log, *, learns: bool, policy: PolicyVersion = SHIPPED) -> Iterator[Message]:
    never = dict.fromkeys(AT_LEAST, NEVER) | {DOMAIN: AT_LEAST[DOMAIN]}
    return played(log, policy=policy, learner=LearnerAgent(at_least=never) if learns else None)


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
    """A line for one log; recall and nDCG by the flat prior, the shipped one, and with a learner [3, 2]."""
    flat, ships, learned = served(log, policy=FLATLY), served(log), served(log, learns=True)
    questions, runs = judged(log), (flat, ships, learned)
    each = np.array([[scores(run.slates[one.event_id], one.wanted) for run in runs] for one in questions])
    whose = [owners[one.event_id] for one in questions]
    acts = [one.act for one in learned.versions]
    found = each.mean(axis=0)
    line = f"{name:12} {len(questions):6} {acts.count('publish'):5} {acts.count('reject'):5}   "
    for kind in (0, 1):
        error = _error(each[:, 2, kind] - each[:, 1, kind], whose)
        values = " ".join(f"{value:.4f}" for value in found[:, kind])
        line += f"{values} {found[2, kind] - found[1, kind]:+.4f} ±{error:.4f}   "
    print(f"{line}{learned.seconds - ships.seconds:5.1f}", flush=True)
    return found


def summed(found: Sequence[Floats]) -> None:
    """Of several shops: what the shipped prior is worth beside the flat one, and the learner beside it."""
    if len(found) < 2:
        return
    for what, one, other in (("shipped over flat", 1, 0), ("learned over shipped", 2, 1)):
        more = np.array([each[one] - each[other] for each in found])
        (recall, ndcg), spread = more.mean(axis=0), more.std(axis=0, ddof=1) / np.sqrt(len(more))
        before, worst = np.mean(found, axis=0)[other], more.min(axis=0)
        print(
            f"{len(found)} shops, {what}: recall {recall:+.4f} ±{spread[0]:.4f} ({recall / before[0]:+.1%}), "
            f"nDCG {ndcg:+.4f} ±{spread[1]:.4f} ({ndcg / before[1]:+.1%}); worst {worst[0]:+.4f} and {worst[1]:+.4f}"
        )
    print()


def _error(more: Floats, whose: Sequence[str]) -> float:
    """The standard error of the mean over questions, of which one user's are not independent."""
    off = defaultdict[str, float](float)
    for who, by in zip(whose, (more - more.mean()).tolist(), strict=True):
        off[who] += by
    return float(np.sqrt(sum(by * by for by in off.values())) / len(more))


def _owners(log: Log) -> dict[str, str]:
    return {event.event_id: event.user_id for event in log.events}


# ---- Where the prior that serves is the best already ---------------------------------------------------------------


def published_over_the_best(attempts: int, first: int) -> None:
    """How many of the attempts publish something over a prior that is the truth."""
    best: Priors = PRIOR | {name: LEAST * PRIOR[name] for name in ("width", "temperature")}
    (shop,) = shops(1, first)
    log = log_of(shop)
    if log is None:
        return
    asked = _asked(log)
    passed = 0
    for seed in range(attempts):
        trial = attempt(SCHOOLS[DOMAIN], _foretold(asked, best, np.random.default_rng(seed)), best)
        passed += trial is not None and trial.passed
    print(f"\nwhere the prior that serves is the best one: {passed} of {attempts} attempts published")


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
    given.add_argument("--seeds", type=int, default=8, help="drawn shops with tastes; half as many with habits")
    given.add_argument("--first", type=int, default=100, help="the seed of the first one, among the unseen")
    given.add_argument("--journey", type=int, default=100, help="households of Complete Journey; 0: none")
    given.add_argument("--best", type=int, default=40, help="attempts where the prior that serves is the best; 0: none")
    given.add_argument("--quick", action="store_true", help="three shops, thirty households, ten attempts")
    asked = given.parse_args()
    if asked.quick:
        asked = argparse.Namespace(seeds=2, first=asked.first, journey=30, best=10)
    settle()
    print("recall and nDCG at ten of the later questions, and versions published and refused")
    print(f"{'':33}{'recall by the prior that is':39}{'nDCG by the prior that is':39}seconds")
    print(f"{'log':12} {'asked':>6} {'publ.':>5} {'ref.':>5}   ", end="")
    print(f"{'flat':6} {'ships':6} {'learns':6} {'more':15}   " * 2 + "of learning")
    tastes = ((f"tastes {shop.seed - UNSEEN}", log_of(shop)) for shop in shops(asked.seeds, asked.first))
    habits = ((f"habits {seed}", basket_log(draw_task(UNSEEN + seed), UNSEEN + seed)) for seed in count(asked.first))
    for kind in (tastes, islice((one for one in habits if one[1] is not None), asked.seeds // 2)):
        summed([compared(name, log, _owners(log)) for name, log in kind if log is not None])
    if asked.journey:
        log = journey_log(asked.journey)
        compared(f"journey {asked.journey}", log, _owners(log))
    if asked.best:
        published_over_the_best(asked.best, asked.first)


if __name__ == "__main__":
    main()
