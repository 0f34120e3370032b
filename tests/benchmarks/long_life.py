"""One entity's belief over ten million outcomes in a row, of each kind: how far it ends from the exact one.

    python -m tests.benchmarks.long_life [--updates N] [--only BELIEF]

`endurance` takes as many through a hundred entities at a time; here two entities go side by side, one that forgets and
one that doesn't, with the same outcomes of the worst kind. What is exact is summed in extended precision as the
outcomes come. `logistic`, which searches for a mode each time, and `runs` with forgetting, which is made anew each
time, take a tenth as many. After every thousandth outcome a precision must be finite, symmetric to the last bit and
positive definite. `error` is in posterior deviations; of `censored`, relative, of the log-odds of the likeliest cells.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import fsum, log
from time import process_time
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from policies.bandit.hierarchy import LinearPrior
from policies.beliefs import money
from policies.beliefs.counts import CensoredCounts, Rates
from policies.beliefs.gaussian import Evidence, Posterior
from policies.beliefs.logistic import Logistic
from policies.beliefs.runs import Runs, Start
from policies.linalg import Floats
from tests.benchmarks.endurance import AGAIN, KEPT, NOISE, PRIOR, SCALES, D, again, apart

CHUNK: Final = 1_000
BOTH: Final = np.array([1.0, KEPT])
FEWER: Final = 10  # times, of what is slow

Wide = npt.NDArray[np.longdouble]


class Ended(NamedTuple):
    """How one entity ended; `condition` is that of its precision, of sums 1."""

    belief: str
    kept: float
    updates: int
    error: float
    condition: float
    micro: float


def summed(before: Any, each: Any, kept: float) -> Wide:
    """Σ of a chunk [n, …] on top of what was before, with what is left of the old at each step."""
    n = len(each)
    weights = np.longdouble(kept) ** np.arange(n - 1, -1, -1).astype(np.longdouble)
    weights = weights.reshape(n, *(1 for _ in each.shape[1:]))
    return np.longdouble(kept) ** n * before + (weights * each).sum(axis=0)


def regressed(before: Any, phi: Floats, y: Floats, kept: float) -> tuple[Wide, Wide]:
    """Σφφᵀ/σ² and Σφy/σ² of a chunk, [n, d] and [n], on top of those before."""
    f, told = phi.astype(np.longdouble), y.astype(np.longdouble)
    squares, products = f[:, :, None] * f[:, None] / NOISE, f * told[:, None] / NOISE
    return summed(before[0], squares, kept), summed(before[1], products, kept)


def fractions(squares: Any, products: Any) -> tuple[list[list[Fraction]], list[Fraction]]:
    """The same numbers to the last bit."""
    rows = [[Fraction(*one.as_integer_ratio()) for one in row] for row in (*squares, products)]
    return rows[:-1], rows[-1]


def sound(precision: Floats) -> None:
    """Raises ValueError where a precision [d, d, B] isn't one."""
    whole = (precision + PRIOR.precision[..., None]).transpose(2, 0, 1)
    if not (np.isfinite(whole).all() and np.array_equal(whole, whole.transpose(0, 2, 1))):
        raise ValueError("a precision is not finite, or not symmetric")
    np.linalg.cholesky(whole)


def chunks(updates: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Contexts [n, d] that are all but the same and of three scales by turns, and outcomes [n] from end to end."""
    rng, scale = np.random.default_rng(seed), np.array(SCALES)
    for first in range(0, updates, CHUNK):
        at = np.arange(first, min(first + CHUNK, updates))
        side = np.where(at % 2, -1.0, 1.0).astype(np.float64)
        yield scale[at % len(scale)][:, None] * (1.0 + 1e-3 * rng.normal(size=(len(at), D))), side


def gaussian(updates: int) -> Iterator[Ended]:
    evidence, seconds = Evidence.none(D, 2), 0.0
    exact = [(np.zeros((D, D), np.longdouble), np.zeros(D, np.longdouble)) for _ in BOTH]
    for phi, side in chunks(updates, 0):
        contexts, y = np.repeat(phi[..., None], 2, axis=2), np.repeat(100.0 * side[:, None], 2, axis=1)
        began = process_time()
        for now, paid in zip(contexts, y, strict=True):
            evidence = evidence.learn(now, paid, noise=NOISE, kept=BOTH)
        seconds += process_time() - began
        sound(evidence.precision)
        exact = [regressed(one, phi, 100.0 * side, kept) for one, kept in zip(exact, BOTH.tolist(), strict=True)]
    for place, (kept, (squares, products)) in enumerate(zip(BOTH.tolist(), exact, strict=True)):
        own = Evidence(precision=evidence.precision[..., place:][..., :1], shift=evidence.shift[:, place:][:, :1])
        error, condition = apart(Posterior.of(PRIOR, own), *fractions(squares, products))
        yield Ended("gaussian", kept, updates, error, condition, 1e6 * seconds / updates)


def logistic(updates: int) -> Iterator[Ended]:
    updates = max(updates // FEWER, AGAIN)
    belief, seconds, done = Logistic.starting(PRIOR, 2), 0.0, 0
    before, last = belief.evidence, list[tuple[Floats, float]]()
    for phi, side in chunks(updates, 1):
        for now, happened in zip(phi, (side > 0.0).astype(float).tolist(), strict=True):
            if done == updates - AGAIN:
                before = belief.evidence
            if done >= updates - AGAIN:
                last.append((now, happened))
            began = process_time()
            belief = belief.learn(np.repeat(now[:, None], 2, axis=1), np.full(2, happened), kept=BOTH)
            seconds += process_time() - began
            done += 1
        sound(belief.evidence.precision)
    for place, kept in enumerate(BOTH.tolist()):
        start = Evidence(precision=before.precision[..., place:], shift=before.shift[:, place:])
        end = Evidence(
            precision=belief.evidence.precision[..., place:][..., :1], shift=belief.evidence.shift[:, place:][:, :1]
        )
        error, condition = apart(Posterior.of(PRIOR, end), *again(start, last, kept))
        yield Ended("logistic", kept, updates, error, condition, 1e6 * seconds / updates)


def rates(updates: int) -> Iterator[Ended]:
    rng, belief, seconds = np.random.default_rng(2), Rates.starting(shape=0.5, rate=0.5, entities=2), 0.0
    exact = [np.zeros(2, np.longdouble) for _ in BOTH]
    for first in range(0, updates, CHUNK):
        at = np.arange(first, min(first + CHUNK, updates))
        told = np.stack([np.where(at % 3, 1e5, 0.0), np.where(at % 2, 1e6, 1e-6) * rng.random(len(at))], axis=1)
        both = np.repeat(told[..., None], 2, axis=2)
        began = process_time()
        for counts, exposures in both:
            belief = belief.learn(counts, exposures, kept=BOTH)
        seconds += process_time() - began
        exact = [summed(one, told, kept) for one, kept in zip(exact, BOTH.tolist(), strict=True)]
    for place, (kept, (counts, exposures)) in enumerate(zip(BOTH.tolist(), exact, strict=True)):
        mean, deviation = (0.5 + counts) / (0.5 + exposures), np.sqrt(0.5 + counts) / (0.5 + exposures)
        error = abs(float((belief.mean[place] - mean) / deviation))
        yield Ended("rates", kept, updates, error, 1.0, 1e6 * seconds / updates)


def amounts(updates: int) -> Iterator[Ended]:
    prior = money.Prior(centre=3.0, certainty=1.0, shape=2.0, scale=1.0)
    rng, belief, seconds = np.random.default_rng(3), money.Amounts.starting(prior, 2), 0.0
    exact = [np.zeros(3, np.longdouble) for _ in BOTH]
    for first in range(0, updates, CHUNK):
        at = np.arange(first, min(first + CHUNK, updates))
        paid = np.where(at % 2, 1e12, 1e-12) * (1.0 + rng.random(len(at)))
        both = np.repeat(paid[:, None], 2, axis=1)
        began = process_time()
        for one in both:
            belief = belief.learn(one, kept=BOTH)
        seconds += process_time() - began
        away = np.log(paid.astype(np.longdouble)) - prior.centre
        told = np.stack([np.ones_like(away), away, away * away], axis=1)
        exact = [summed(one, told, kept) for one, kept in zip(exact, BOTH.tolist(), strict=True)]
    for place, (kept, (count, first, second)) in enumerate(zip(BOTH.tolist(), exact, strict=True)):
        certainty = prior.certainty + count
        variance = (prior.scale + (second - first * first / certainty) / 2.0) / (prior.shape + count / 2.0 - 1.0)
        error = abs(float((belief.centre[place] - (prior.centre + first / certainty)) / np.sqrt(variance / certainty)))
        error = max(error, abs(float(belief.spread[place] / variance - 1.0)))
        yield Ended("amounts", kept, updates, error, 1.0, 1e6 * seconds / updates)


def censored(updates: int) -> Iterator[Ended]:
    means, kinds = np.geomspace(0.1, 100.0, 12), ((0, False), (3, True), (40, True), (1_000, False), (0, True))
    start = CensoredCounts.starting(means, np.zeros(len(means)), 2)
    told = [(np.full(2, sold), np.full(2, cut)) for sold, cut in kinds]
    cells = [start.learn(*one).likelihood[:, 0] for one in told]
    belief, began = start, process_time()
    for step in range(updates):
        belief = belief.learn(*told[step % len(told)], kept=BOTH)
    seconds = process_time() - began
    for place, kept in enumerate(BOTH.tolist()):
        share = [_power_sum(kept, (updates - 1 - kind) % len(kinds), len(kinds), updates) for kind in range(len(kinds))]
        logs = [
            fsum([float(at), *(w * float(of[cell]) for w, of in zip(share, cells, strict=True))])
            for cell, at in enumerate(start.log_prior)
        ]
        exact, ours = np.array(logs) - max(logs), start.log_prior + belief.likelihood[:, place]
        next_best = int(np.argsort(exact)[-2])
        off = float((ours - ours[np.argmax(exact)] - exact)[next_best])
        error = abs(off) / max(1.0, -float(exact[next_best]))
        yield Ended("censored", kept, updates, error, 1.0, 1e6 * seconds / updates)


def _power_sum(kept: float, first: int, step: int, end: int) -> float:
    """Σ keptᵃ over the ages a = first, first + step, … below end."""
    return fsum((kept ** np.arange(first, end, step, dtype=np.float64)).tolist())


def runs(updates: int) -> Iterator[Ended]:
    for kept in BOTH.tolist():
        yield _runs(updates if kept == 1.0 else updates // FEWER, kept)


def _runs(updates: int, kept: float) -> Ended:
    prior = LinearPrior(mean=PRIOR.mean, covariance=np.diag(1.0 / np.diag(PRIOR.precision)), noise=NOISE, hazard=0.0)
    belief, seconds, memory = Runs.starting(Start.of(prior)), 0.0, -1.0 / log(kept) if kept < 1.0 else float("inf")
    exact = np.zeros((D, D), np.longdouble), np.zeros(D, np.longdouble)
    for phi, side in chunks(updates, 4):
        began = process_time()
        for now, paid in zip(phi, (100.0 * side).tolist(), strict=True):
            belief.learn(now, paid, memory=memory)
        seconds += process_time() - began
        if not (np.isfinite(belief.wide).all() and np.linalg.eigvalsh(_covariance(belief))[0] > 0.0):
            raise ValueError("a covariance is not positive definite")
        exact = regressed(exact, phi, 100.0 * side, kept)
    mean = belief.known[0][:, D:]
    posterior = Posterior(mean=mean, lower=np.eye(D)[:, :, None], pivots=np.ones((D, 1)))
    error, condition = apart(posterior, *fractions(*exact))
    return Ended("runs", kept, updates, error, condition, 1e6 * seconds / updates)


def _covariance(belief: Runs) -> Floats:
    root = belief.known[0][:, :D]
    return np.asarray(root @ root.T, dtype=np.float64)


BELIEFS: Final[dict[str, Callable[[int], Iterator[Ended]]]] = {
    "gaussian": gaussian,
    "logistic": logistic,
    "rates": rates,
    "amounts": amounts,
    "censored": censored,
    "runs": runs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=10_000_000, help="of each belief, in a row")
    parser.add_argument("--only", choices=list(BELIEFS), help="one belief")
    given = parser.parse_args()
    print("| belief | kept | outcomes in a row | condition | error | µs |\n|---|---|---|---|---|---|")
    for name, run in BELIEFS.items():
        for one in run(given.updates) if given.only in (None, name) else ():
            print(
                f"| {one.belief} | {one.kept:g} | {one.updates:,} | {one.condition:.1e} | {one.error:.1e} |"
                f" {one.micro:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
