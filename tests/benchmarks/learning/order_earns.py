"""Whether what the gate asks of a candidate is what it then does: `earns` beside recall when slates are made again.

    python -m tests.benchmarks.learning.order_earns [--seeds N] [--first SEED]

Drawn shops are served by version 0. From the slates of the first half, as they were told to the learner, `earns` says
of some thirty other priors (one weight more or less, more or less explored, beliefs surer or less sure) what their
order would earn more; then each makes the slates of the second half anew, from the candidates and beliefs that were
logged. Told are the rank correlation of the two (Spearman) over priors, and how many of those that the gate's bound
would call better, or worse, are so.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from infra.evaluate.shop_log import K, Log, log_of
from infra.serving.tuning import settle
from infra.versions.rehearsal import streams_of
from policies.linalg import Floats
from policies.meta.gate import judge
from policies.meta.sample import Split
from policies.meta.schools import SCHOOLS
from policies.slates.evidence import GaussianPrior
from policies.slates.recommend import DOMAIN, FEATURES, PRIOR, SCALE
from policies.slates.slate import Query, choose
from policies.version import Priors
from streams.records import Decision, Experience
from streams.topics import DECISIONS, EXPERIENCES
from tests.benchmarks.learning.history import UNSEEN, shops
from tests.benchmarks.learning.slow_loop import outputs

STEPS: Final = {
    "own_share": 0.5,
    "bought_before": 0.02,
    "due": 0.02,
    "just_bought": 0.02,
    "trending_share": 1.0,
    "popular_share": 0.5,
    "bought_with": 0.02,
    "category_share": 0.03,
    "novelty_of_user": 0.03,
    "like_history": 0.9,
}


def others() -> dict[str, Priors]:
    """Priors to be judged, by what is other about them."""
    found: dict[str, Priors] = {}
    for name, step in STEPS.items():
        for by in (step, -step):
            mean = np.array(PRIOR["mean"])
            mean[FEATURES.index(name)] += by
            found[f"{name} {by:+g}"] = PRIOR | {"mean": mean.tolist()}
    for times in (0.25, 0.5, 2.0, 4.0):
        found[f"width x{times:g}"] = PRIOR | {"width": times}
        found[f"temperature x{times:g}"] = PRIOR | {"temperature": times * PRIOR["temperature"]}
        found[f"precision x{times:g}"] = PRIOR | {"precision": (times * np.array(PRIOR["precision"])).tolist()}
    return found


def told(log: Log) -> tuple[list[Decision], list[Experience]]:
    """What version 0 decided, and what the learner heard of it, in order of time."""
    decisions: list[Decision] = []
    heard: list[Experience] = []
    for made in outputs(log, learns=False):
        if made.value is not None and made.topic is DECISIONS:
            decisions.append(msgspec.json.decode(made.value, type=Decision))
        elif made.value is not None and made.topic is EXPERIENCES:
            heard.append(msgspec.json.decode(made.value, type=Experience))
    return decisions, [one for one in heard if one.domain == DOMAIN]


def query(one: Decision) -> Query:
    """The question as it was, from the log."""
    size = len(FEATURES)
    precision, shift, belief = np.zeros((size, size)), np.zeros(size), one.features["belief"]
    if belief:
        precision[np.triu_indices(size)] = belief["precision_upper"]
        precision += np.triu(precision, 1).T
        shift = np.array(belief["shift"])
    phi: Any = one.features["phi"]
    return Query(phi=np.array(phi) / SCALE, precision=precision, shift=shift, seed=int(one.seed), size=K)


def recalls(asked: Sequence[tuple[Decision, set[str]]], prior: Priors) -> Floats:
    """Recall at ten of the slates that this prior makes, by question."""
    queries = [query(one) for one, _ in asked]
    slates = choose(queries, GaussianPrior.of(prior), float(prior["temperature"]))
    return np.array(
        [
            len({one.candidates[place] for place in slate.chosen} & wanted) / len(wanted)
            for (one, wanted), slate in zip(asked, slates, strict=True)
        ]
    )


def compared(log: Log) -> Floats:
    """Of each prior [P, 4]: what `earns` says, its bound below and above, and how much more is recalled."""
    decisions, heard = told(log)
    wanted = {one.event_id: set(one.wanted) for one in log.questions}
    asked = [(one, wanted[one.event_ids[0]]) for one in decisions if one.candidates and one.event_ids[0] in wanted]
    half = len(asked) // 2
    cut = int(asked[half][0].occurred_at)
    given = Split(train=[], judged=streams_of([one for one in heard if one.occurred_at < cut]), cut=0)
    before = recalls(asked[half:], PRIOR)
    rows: list[list[float]] = []
    for prior in others().values():
        verdict = judge(SCHOOLS[DOMAIN].earns(given, prior, PRIOR))
        more = float((recalls(asked[half:], prior) - before).mean())
        rows.append([verdict.gain, verdict.lower, 2.0 * verdict.gain - verdict.lower, more])
    return np.array(rows)


def correlation(one: Floats, other: Floats) -> float:
    """Spearman's, without ties."""
    first, second = (np.argsort(np.argsort(x)) - (len(x) - 1) / 2.0 for x in (one, other))
    return float((first @ second) / (first @ first))


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=6, help="drawn shops")
    given.add_argument("--first", type=int, default=100, help="the seed of the first one, among the unseen")
    asked = given.parse_args()
    settle()
    found: list[Floats] = []
    for shop in shops(asked.seeds, asked.first):
        log = log_of(shop)
        if log is not None:
            found.append(compared(log))
            print(f"shop {shop.seed - UNSEEN}: rank correlation {correlation(found[-1][:, 0], found[-1][:, 3]):.2f}")
    rows = np.concatenate(found)
    better, worse = rows[rows[:, 1] > 0.0, 3], rows[rows[:, 2] < 0.0, 3]
    print(f"{len(found)} shops: {np.mean([correlation(one[:, 0], one[:, 3]) for one in found]):.2f}")
    print(f"called better: {len(better)}, which recall {better.mean():+.4f} more; {(better < 0.0).sum()} of them less")
    print(f"called worse: {len(worse)}, which recall {worse.mean():+.4f} more; {(worse > 0.0).sum()} of them more")


if __name__ == "__main__":
    main()
