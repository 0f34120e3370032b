"""What slates would gain if clicks and purchases were believed by a logistic belief, and not a Gaussian one.

    python -m tests.benchmarks.learning.clicks [--seeds N] [--households N] [--only PART]

Everything is paired: the same features, questions and dice, each belief under the best prior of its own kind. Shoppers:
`policies.tasks.shopper` whose rewards are clicks, in one world by the logistic of the same score, in another in
proportion to it; slates of one by a draw from the belief. Next basket: the features that the live agents logged for
Complete Journey households; each belief takes the ten that it expects most of, and learns from those ten alone. One
half of the households gives the prior, its strength by nDCG; the other is judged. Differences are logistic minus
Gaussian, ± their standard error over seeds, or over households. Last, the processor time of learning from one slate.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import process_time
from typing import Any, Final, Literal, Protocol

import msgspec
import numpy as np

from infra.measures.ranking import ndcg
from infra.serving.tuning import settle
from policies.beliefs.gaussian import Evidence, Posterior, Prior
from policies.beliefs.logistic import Logistic, sigmoid
from policies.linalg import Floats
from policies.slates.recommend import FEATURES, PRIOR, SCALE
from policies.tasks.shopper import Shoppers, population, task
from streams.records import Decision
from streams.topics import DECISIONS
from tests.benchmarks.learning.history import journey_log, outputs

World = Literal["logistic", "linear"]

TAUGHT, TASKS, BASE = 200, 60, -2.0
STRENGTHS: Final = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5)  # of a prior's precision
LEAST: Final = 1e-3  # chance that either belief gives to anything
K: Final = 10


class Belief(Protocol):
    """B entities: a step each, φ [d, B] and what happened [B]; where φ is 0 nothing is learned."""

    @property
    def posterior(self) -> Posterior: ...

    def learn(self, phi: Floats, happened: Floats) -> "Belief": ...

    def chance(self, phi: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Straight:
    """The chance is the score itself, seen with Gaussian noise: what slates use."""

    prior: Prior
    noise: float
    evidence: Evidence

    @property
    def posterior(self) -> Posterior:
        return Posterior.of(self.prior, self.evidence)

    def learn(self, phi: Floats, happened: Floats) -> "Straight":
        return replace(self, evidence=self.evidence.learn(phi, happened, noise=self.noise))

    def chance(self, phi: Floats) -> Floats:
        return np.clip((phi * self.posterior.mean).sum(axis=0), LEAST, 1.0 - LEAST)


@dataclass(frozen=True, slots=True)
class Curved:
    """The chance is the logistic of the score."""

    belief: Logistic

    @property
    def posterior(self) -> Posterior:
        return self.belief.posterior

    def learn(self, phi: Floats, happened: Floats) -> "Curved":
        return Curved(self.belief.learn(phi, happened))

    def chance(self, phi: Floats) -> Floats:
        return np.clip(self.belief.predict(phi), LEAST, 1.0 - LEAST)


Kind = Callable[[Prior, float, int], Belief]
KINDS: Final[dict[str, Kind]] = {
    "gaussian": lambda prior, noise, entities: Straight(prior, noise, Evidence.none(len(prior.mean), entities)),
    "logistic": lambda prior, _noise, entities: Curved(Logistic.starting(prior, entities)),
}


def log_loss(chance: Floats, happened: Floats) -> Floats:
    return -np.log(np.where(happened > 0.0, chance, 1.0 - chance))


def clicked(world: World, expected: Floats) -> Floats:
    """The chance of a click on what is worth so much."""
    return sigmoid(expected + BASE) if world == "logistic" else np.clip(0.15 + 0.08 * expected, 0.005, 0.995)


def with_one(actions: Floats) -> Floats:
    return np.concatenate([actions, np.ones((*actions.shape[:-1], 1))], axis=-1)


def taught(shoppers: Shoppers, world: World) -> tuple[dict[str, Prior], float]:
    """Each kind's prior from shoppers who are not judged and whose chances are known; and the noise of a click."""
    fitted: dict[str, list[Floats]] = {name: [] for name in KINDS}
    noise: list[float] = []
    for number in range(TASKS, TASKS + TAUGHT):
        drawn = task(shoppers, number)
        phi, chance = with_one(drawn.actions).reshape(-1, shoppers.dim + 1), clicked(world, drawn.expected).ravel()
        for name, aim in (("gaussian", chance), ("logistic", np.log(chance / (1.0 - chance)))):
            fitted[name].append(np.asarray(np.linalg.lstsq(phi, aim)[0], dtype=np.float64))
        noise.append(float((chance * (1.0 - chance)).mean()))
    tiny = 1e-4 * np.eye(shoppers.dim + 1)
    return {
        name: Prior(
            mean=np.mean(own, axis=0),
            precision=np.asarray(np.linalg.inv(np.cov(np.array(own).T) + tiny), dtype=np.float64),
        )
        for name, own in fitted.items()
    }, float(np.mean(noise))


def shop(seed: int, world: World) -> dict[str, tuple[float, float]]:
    """Regret a task in clicks, and log-loss a click, of each kind; all shoppers of a seed are served side by side."""
    shoppers = population(dim=6, arms=10, rounds=100, drift="none", seed=seed)
    priors, noise = taught(shoppers, world)
    tasks = [task(shoppers, number) for number in range(TASKS)]
    phi = np.stack([with_one(one.actions) for one in tasks]).transpose(1, 3, 2, 0)  # [R, d, K, N]
    chance = np.stack([clicked(world, one.expected) for one in tasks]).transpose(1, 2, 0)  # [R, K, N]
    rng = np.random.default_rng([seed, 5])
    dice, normals = rng.random((len(phi), TASKS)), rng.normal(size=(len(phi), phi.shape[1], 1, TASKS))
    found: dict[str, tuple[float, float]] = {}
    for name, make in KINDS.items():
        belief, regret, loss, rows = make(priors[name], noise, TASKS), 0.0, 0.0, np.arange(TASKS)
        for now, shares, die, z in zip(phi, chance, dice, normals, strict=True):
            taken = (now * belief.posterior.draw(z)).sum(axis=0).argmax(axis=0)
            own, share = now[:, taken, rows], shares[taken, rows]
            happened = (die < share).astype(np.float64)
            regret += float((shares.max(axis=0) - share).sum())
            loss += float(log_loss(belief.chance(own), happened).sum())
            belief = belief.learn(own, happened)
        found[name] = regret / TASKS, loss / (TASKS * len(phi))
    return found


def serve(world: World, seeds: int) -> None:
    told = [shop(seed, world) for seed in range(seeds)]
    print(f"\nshoppers whose clicks are {world} in the score: {seeds} seeds of {TASKS} shoppers")
    for name in KINDS:
        regret, loss = (float(np.mean([one[name][part] for one in told])) for part in (0, 1))
        print(f"{name:10} regret {regret:.3f} clicks a shopper, log-loss {loss:.4f}")
    for part, what in enumerate(("regret", "log-loss")):
        _differ(what, [one["logistic"][part] - one["gaussian"][part] for one in told])


Asked = list[tuple[Floats, Floats]]  # φ [C, d] and what was bought [C], by one household, in order


def households(count: int) -> list[Asked]:
    """What the live agents logged of each household, and what it then bought of that."""
    log = journey_log(count)
    wanted = {one.event_id: set(one.wanted) for one in log.questions}
    found: dict[str, Asked] = {}
    for made in outputs(log, said=True):
        if made.topic is not DECISIONS or made.value is None:
            continue
        one = msgspec.json.decode(made.value, type=Decision)
        if one.event_ids[0] in wanted and len(one.candidates) >= K:
            bought = np.isin(one.candidates, list(wanted[one.event_ids[0]])).astype(np.float64)
            phi = np.array(one.features["phi"], dtype=np.float64) / SCALE
            found.setdefault(one.entity, []).append((phi, bought))
    return list(found.values())


def pooled(asked: Sequence[Asked]) -> tuple[dict[str, Floats], float]:
    """Each kind's mean weights by least squares and by Newton's method, weakly held to 0; and the noise left."""
    phi, y = (np.concatenate([each[part] for own in asked for each in own]) for part in (0, 1))
    hold = np.eye(phi.shape[1])
    straight = np.asarray(np.linalg.solve(phi.T @ phi + hold, phi.T @ y), dtype=np.float64)
    return {"gaussian": straight, "logistic": _curved(phi, y, hold)}, float(np.square(y - phi @ straight).mean())


def _curved(phi: Floats, y: Floats, hold: Floats) -> Floats:
    def worth(weights: Floats) -> float:
        score = phi @ weights
        return float(y @ score - np.logaddexp(0.0, score).sum() - 0.5 * weights @ hold @ weights)

    found = np.zeros(phi.shape[1])
    for _ in range(50):
        p = sigmoid(phi @ found)
        slope = phi.T @ (y - p) - hold @ found
        step = np.asarray(np.linalg.solve((phi.T * (p * (1.0 - p))) @ phi + hold, slope), dtype=np.float64)
        while worth(found + step) < worth(found) and np.abs(step).max() > 1e-9:
            step = step / 2.0
        found = found + step
    return found


def replayed(belief: Belief, asked: Sequence[Asked]) -> tuple[Floats, Floats]:
    """nDCG@10 and log-loss of the ten that were taken, the mean of each household; all are served side by side."""
    score, loss = [[list[float]() for _ in asked] for _ in range(2)]
    size = asked[0][0][0].shape[1]
    for turn in range(max(map(len, asked))):
        mean = belief.posterior.mean
        phi, y = np.zeros((K, size, len(asked))), np.zeros((K, len(asked)))
        here = [place for place, own in enumerate(asked) if turn < len(own)]
        for place in here:
            features, bought = asked[place][turn]
            best = np.argsort(-(features @ mean[:, place]), kind="stable")[:K]
            phi[:, :, place], y[:, place] = features[best], bought[best]
            wanted = {str(x) for x in np.flatnonzero(bought)}
            score[place].append(ndcg([str(x) for x in best], wanted, K) if wanted else 0.0)
        told = np.stack([log_loss(belief.chance(one), got) for one, got in zip(phi, y, strict=True)]).mean(axis=0)
        for place in here:
            loss[place].append(float(told[place]))
        for one, got in zip(phi, y, strict=True):
            belief = belief.learn(one, got)
    return np.array([float(np.mean(own)) for own in score]), np.array([float(np.mean(own)) for own in loss])


def next_basket(count: int) -> None:
    every = households(count)
    given, judged = every[::2], every[1::2]
    means, noise = pooled(given)
    found: dict[str, tuple[Floats, Floats]] = {}
    print(f"\nnext basket: {len(judged)} households, {sum(map(len, judged))} slates of {K}")
    for name, make in KINDS.items():
        priors = [Prior(mean=means[name], precision=strength * np.eye(len(means[name]))) for strength in STRENGTHS]
        scores = [float(replayed(make(prior, noise, len(given)), given)[0].mean()) for prior in priors]
        best = priors[int(np.argmax(scores))]
        found[name] = replayed(make(best, noise, len(judged)), judged)
        nothing, _ = replayed(make(replace(best, precision=1e9 * best.precision), noise, len(judged)), judged)
        score, loss = (float(one.mean()) for one in found[name])
        print(
            f"{name:10} precision {best.precision[0, 0]:>6g}: nDCG@10 {score:.4f} (by the prior alone"
            f" {nothing.mean():.4f}), log-loss {loss:.4f}"
        )
    shipped = Prior(mean=np.array(PRIOR["mean"]), precision=np.array(PRIOR["precision"]))
    score, loss = replayed(KINDS["gaussian"](shipped, float(PRIOR["noise"]), len(judged)), judged)
    print(f"as shipped (Gaussian)      : nDCG@10 {score.mean():.4f}, log-loss {loss.mean():.4f}")
    _differ("nDCG@10", found["logistic"][0] - found["gaussian"][0])
    _differ("log-loss", found["logistic"][1] - found["gaussian"][1])


def _differ(what: str, difference: Any) -> None:
    each = np.asarray(difference, dtype=np.float64)
    print(f"  {what:10} {each.mean():+.4f} ± {each.std(ddof=1) / np.sqrt(len(each)):.4f}")


def cost() -> None:
    rng = np.random.default_rng(0)
    phi, y = rng.random((K, len(FEATURES), 1)), (rng.random((K, 1)) < 0.2).astype(np.float64)
    prior = Prior(mean=np.zeros(len(FEATURES)), precision=2000.0 * np.eye(len(FEATURES)))
    print("\nlearning from a slate of ten, one user")
    for name, make in KINDS.items():
        taken: list[float] = []
        for _ in range(20):
            belief, began = make(prior, 0.15, 1), process_time()
            for one, happened in zip(phi, y, strict=True):
                belief = belief.learn(one, happened)
            taken.append(1e6 * (process_time() - began))
        print(f"{name:10} {min(taken):.0f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--households", type=int, default=60)
    parser.add_argument("--only", choices=["shoppers", "next-basket", "cost"])
    given = parser.parse_args()
    settle()
    if given.only in (None, "shoppers"):
        for world in ("logistic", "linear"):
            serve(world, given.seeds)
    if given.only in (None, "next-basket"):
        next_basket(given.households)
    if given.only in (None, "cost"):
        cost()


if __name__ == "__main__":
    main()
