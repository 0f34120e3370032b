"""Ten million updates of every belief, of the worst kind: how far each ends from the same sums taken exactly.

    python -m tests.benchmarks.endurance [--updates N] [--entities B] [--only BELIEF]

Each belief takes N updates in all, B entities at a time, once with forgetting and once without. Contexts are nearly the
same and a thousand times larger or smaller by turns; outcomes alternate between extremes; every other period of demand
is cut off by an empty shelf. The exact figures are of the first entity: sums that are rounded once (`math.fsum`), and
systems that are solved in fractions. Where a belief isn't a sum (`logistic`), its last updates are made again in
extended precision. `error` is in posterior deviations; of `censored`, relative, of the log-odds of the likeliest cells.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log, sqrt
from time import process_time
from typing import Any, Final

import numpy as np

from policies.bandit.hierarchy import LinearPrior
from policies.beliefs import money
from policies.beliefs.counts import CensoredCounts, Rates
from policies.beliefs.gaussian import Evidence, Posterior, Prior
from policies.beliefs.logistic import Logistic
from policies.beliefs.runs import Runs, Start
from policies.linalg import Floats

D: Final = 3
KEPT: Final = 0.999
WINDOW: Final = 45_000  # updates after which nothing is left in float64: KEPT to this power is 3e-20
AGAIN: Final = 200  # updates of `logistic` that are made again
SCALES: Final = (1.0, 1e3, 1e-3)  # of contexts, by turns
PRIOR: Final = Prior(mean=np.array([0.5, -0.5, 0.1]), precision=np.diag([1.0, 2.0, 4.0]))
NOISE: Final = 0.25

Number = Any  # float, longdouble or Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`condition` is that of the precision, largest over least eigenvalue; of sums it is 1."""

    updates: int
    error: float
    condition: float = 1.0
    seconds: float = 0.0


def solve(matrix: Sequence[Sequence[Number]], right: Sequence[Number]) -> list[Number]:
    """x with Ax = b by elimination, in whatever numbers these are; A is positive definite."""
    a, b, n = [list(row) for row in matrix], list(right), len(right)
    for i in range(n):
        for j in range(i + 1, n):
            share = a[j][i] / a[i][i]
            a[j] = [x - share * y for x, y in zip(a[j], a[i], strict=True)]
            b[j] -= share * b[i]
    for i in reversed(range(n)):
        b[i] = (b[i] - sum(a[i][j] * b[j] for j in range(i + 1, n))) / a[i][i]
    return b


def contexts(rng: np.random.Generator, step: int, entities: int) -> Floats:
    return SCALES[step % len(SCALES)] * (1.0 + 1e-3 * rng.normal(size=(D, entities)))


def gaussian(steps: int, entities: int, kept: float) -> Found:
    rng, evidence = np.random.default_rng(0), Evidence.none(D, entities)
    told: deque[tuple[Floats, float]] = deque(maxlen=None if kept == 1.0 else WINDOW)
    began = process_time()
    for step in range(steps):
        phi = contexts(rng, step, entities)
        y = np.full(entities, 100.0 * (-1.0) ** step)
        evidence = evidence.learn(phi, y, noise=NOISE, kept=kept)
        told.append((phi[:, 0].copy(), float(y[0])))
    seconds = process_time() - began
    weights = [kept**age for age in range(len(told) - 1, -1, -1)]
    precision = [[fsum(w * f[i] * f[j] / NOISE for w, (f, _) in zip(weights, told, strict=True)) for j in range(D)]
                 for i in range(D)]  # fmt: skip
    shift = [fsum(w * f[i] * y / NOISE for w, (f, y) in zip(weights, told, strict=True)) for i in range(D)]
    error, condition = apart(Posterior.of(PRIOR, evidence), precision, shift)
    return Found(updates=steps * entities, error=error, condition=condition, seconds=seconds)


def apart(posterior: Posterior, precision: Sequence[Sequence[Number]], shift: Sequence[Number]) -> tuple[float, float]:
    """How far the first entity's mean is from the exact one, in its deviations; and the condition of its precision."""
    prior = PRIOR.precision.tolist()
    whole = [[Fraction(precision[i][j]) + Fraction(prior[i][j]) for j in range(D)] for i in range(D)]
    right = [
        Fraction(shift[i]) + sum(Fraction(prior[i][j]) * Fraction(float(PRIOR.mean[j])) for j in range(D))
        for i in range(D)
    ]
    exact = solve(whole, right)
    away: list[float] = []
    for i in range(D):
        variance = solve(whole, [Fraction(int(i == j)) for j in range(D)])[i]
        away.append(abs(float(Fraction(float(posterior.mean[i, 0])) - exact[i])) / sqrt(float(variance)))
    eigenvalues = np.linalg.eigvalsh(np.array([[float(x) for x in row] for row in whole]))
    return max(away), float(eigenvalues[-1] / eigenvalues[0])


def logistic(steps: int, entities: int, kept: float) -> Found:
    rng, belief = np.random.default_rng(1), Logistic.starting(PRIOR, entities)
    last: list[tuple[Floats, float]] = []
    before, began = belief.evidence, process_time()
    for step in range(steps):
        phi = contexts(rng, step, entities)
        happened = np.full(entities, float(step % 2))
        if step == steps - AGAIN:
            before = belief.evidence
        belief = belief.learn(phi, happened, kept=kept)
        if step >= steps - AGAIN:
            last.append((phi[:, 0].copy(), float(happened[0])))
    seconds = process_time() - began
    precision, shift = again(before, last, kept)
    error, condition = apart(belief.posterior, precision, shift)
    return Found(updates=steps * entities, error=error, condition=condition, seconds=seconds)


def again(before: Evidence, last: list[tuple[Floats, float]], kept: float) -> tuple[list[list[float]], list[float]]:
    """The same updates of the first entity from the same start, in extended precision."""
    wide = np.longdouble
    precision, shift = before.precision[:, :, 0].astype(wide), before.shift[:, 0].astype(wide)
    own, centre = PRIOR.precision.astype(wide), (PRIOR.precision @ PRIOR.mean).astype(wide)
    for phi, happened in last:
        f = phi.astype(wide)
        precision, shift = kept * precision, kept * shift
        whole = (precision + own).tolist()
        mean, along = np.array(solve(whole, list(shift + centre))), np.array(solve(whole, list(f)))
        logit, variance = (f * mean).sum(), (f * along).sum()
        low, high = logit - variance * (1.0 - happened), logit + variance * happened
        middle = logit
        for _ in range(70):
            middle = (low + high) / 2.0
            below = middle < logit + variance * (happened - _sigmoid(middle))
            low, high = (middle, high) if below else (low, middle)
        p = _sigmoid(middle)
        weight = max(p * (1.0 - p), wide(1e-12))
        precision = precision + weight * f[:, None] * f
        shift = shift + f * (weight * middle + happened - p)
    return precision.astype(float).tolist(), shift.astype(float).tolist()


def _sigmoid(x: Number) -> Number:
    with np.errstate(over="ignore"):  # far out it is 0
        return 1.0 / (1.0 + np.exp(-x))


def rates(steps: int, entities: int, kept: float) -> Found:
    rng, belief = np.random.default_rng(2), Rates.starting(shape=0.5, rate=0.5, entities=entities)
    told: deque[tuple[float, float]] = deque(maxlen=None if kept == 1.0 else WINDOW)
    began = process_time()
    for step in range(steps):
        exposures = (1e6 if step % 2 else 1e-6) * rng.random(entities)
        counts = np.full(entities, 1e5 if step % 3 else 0.0)
        belief = belief.learn(counts, exposures, kept=kept)
        told.append((float(counts[0]), float(exposures[0])))
    seconds = process_time() - began
    weights = [kept**age for age in range(len(told) - 1, -1, -1)]
    shape = 0.5 + fsum(w * count for w, (count, _) in zip(weights, told, strict=True))
    rate = 0.5 + fsum(w * exposure for w, (_, exposure) in zip(weights, told, strict=True))
    error = abs(float(belief.mean[0]) - shape / rate) / (sqrt(shape) / rate)
    return Found(updates=steps * entities, error=error, seconds=seconds)


def amounts(steps: int, entities: int, kept: float) -> Found:
    prior = money.Prior(centre=3.0, certainty=1.0, shape=2.0, scale=1.0)
    rng, belief = np.random.default_rng(3), money.Amounts.starting(prior, entities)
    told: deque[float] = deque(maxlen=None if kept == 1.0 else WINDOW)
    began = process_time()
    for step in range(steps):
        paid = (1e12 if step % 2 else 1e-12) * (1.0 + rng.random(entities))
        belief = belief.learn(paid, kept=kept)
        told.append(float(paid[0]))
    seconds = process_time() - began
    weights = [kept**age for age in range(len(told) - 1, -1, -1)]
    away = [log(one) - prior.centre for one in told]
    count, first = fsum(weights), fsum(w * x for w, x in zip(weights, away, strict=True))
    middle = first / (prior.certainty + count)
    around = fsum(w * (x - first / count) ** 2 for w, x in zip(weights, away, strict=True))
    scale = prior.scale + 0.5 * (around + prior.certainty * count * (first / count) ** 2 / (prior.certainty + count))
    variance = scale / (prior.shape + count / 2.0 - 1.0)
    error = abs(float(belief.centre[0]) - (prior.centre + middle)) / sqrt(variance / (prior.certainty + count))
    error = max(error, abs(float(belief.spread[0]) / variance - 1.0))
    return Found(updates=steps * entities, error=error, seconds=seconds)


def censored(steps: int, entities: int, kept: float) -> Found:
    means = np.geomspace(0.1, 100.0, 12)
    start = CensoredCounts.starting(means, np.zeros(len(means)), entities)
    kinds = ((0, False), (3, True), (40, True), (1_000, False), (0, True), (1_000, True))
    cells = [start.learn(np.full(entities, sold), np.full(entities, cut)).likelihood[:, 0] for sold, cut in kinds]
    belief, began = start, process_time()
    for step in range(steps):
        sold, cut = kinds[step % len(kinds)]
        belief = belief.learn(np.full(entities, sold), np.full(entities, cut), kept=kept)
    seconds = process_time() - began
    kind = np.arange(steps) % len(kinds)
    weight = kept ** np.arange(steps - 1, -1, -1.0)
    share = [fsum(weight[kind == each].tolist()) for each in range(len(kinds))]
    logs = [fsum([float(start.log_prior[at]), *(w * float(of[at]) for w, of in zip(share, cells, strict=True))])
            for at in range(len(start.log_prior))]  # fmt: skip
    exact = np.array(logs) - max(logs)
    ours = start.log_prior + belief.likelihood[:, 0]
    next_best = int(np.argsort(exact)[-2])
    error = abs(float((ours - ours[np.argmax(exact)] - exact)[next_best])) / max(1.0, -float(exact[next_best]))
    return Found(updates=steps * entities, error=error, seconds=seconds)


def runs(steps: int, _entities: int, kept: float) -> Found:
    """One entity alone, `steps` updates. With forgetting, too, its hypotheses are of when the weights last changed."""
    prior = LinearPrior(mean=PRIOR.mean, covariance=np.diag([1.0, 0.5, 0.25]), noise=NOISE, hazard=0.0)
    rng, belief = np.random.default_rng(4), Runs.starting(Start.of(prior))
    memory = float("inf") if kept == 1.0 else -1.0 / log(kept)
    told: deque[tuple[Floats, float]] = deque(maxlen=None if kept == 1.0 else WINDOW)
    began = process_time()
    for step in range(steps):
        phi, y = contexts(rng, step, 1)[:, 0], 100.0 * (-1.0) ** step
        belief.learn(phi, y, memory=memory)
        told.append((phi, y))
    seconds = process_time() - began
    weights = [kept**age for age in range(len(told) - 1, -1, -1)]
    precision = [[fsum(w * f[i] * f[j] / NOISE for w, (f, _) in zip(weights, told, strict=True)) for j in range(D)]
                 for i in range(D)]  # fmt: skip
    shift = [fsum(w * f[i] * y / NOISE for w, (f, y) in zip(weights, told, strict=True)) for i in range(D)]
    mean = belief.known[0][:, D:]
    posterior = Posterior(mean=mean, lower=np.eye(D)[:, :, None], pivots=np.ones((D, 1)))
    error, condition = apart(posterior, precision, shift)
    return Found(updates=steps, error=error, condition=condition, seconds=seconds)


BELIEFS: Final[dict[str, Callable[[int, int, float], Found]]] = {
    "gaussian": gaussian,
    "logistic": logistic,
    "rates": rates,
    "amounts": amounts,
    "censored": censored,
    "runs": runs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=10_000_000, help="of each belief, in all")
    parser.add_argument("--entities", type=int, default=100, help="at a time")
    parser.add_argument("--only", choices=list(BELIEFS), help="one belief")
    given = parser.parse_args()
    steps = max(AGAIN, given.updates // given.entities)
    print(f"{steps:,} updates of each of {given.entities} entities, one after another (of one for `runs`)\n")
    print("| belief | kept | updates | condition | error | µs an update |\n|---|---|---|---|---|---|")
    for name, run in BELIEFS.items():
        if given.only not in (None, name):
            continue
        for kept in (1.0, KEPT):
            found = run(steps, given.entities, kept)
            each = 1e6 * found.seconds / found.updates
            print(
                f"| {name} | {kept:g} | {found.updates:,} | {found.condition:.1e} | {found.error:.1e} | {each:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
