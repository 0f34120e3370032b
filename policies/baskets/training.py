"""The next-basket network, meta-trained over many shops: its weights are where every shop starts from.

Shops are the unit: each log is passed once in time order, some of its baskets are kept as questions with their answers,
a part of them with the household's history masked to its last 0–2 baskets, so that the cold are learned from too. Then
the network goes through all of them several times, shuffled. Shops are drawn (policies/tasks/shop.py) and, where they
are handed in, recorded; of those only what may be looked at is to be handed in.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from policies.baskets.encoder import SCHEMA, Learner, Weights, forward, residual, untrained
from policies.baskets.features import FEATURES
from policies.baskets.shop import Shop, Visit
from policies.linalg import Floats
from policies.portable import kept
from policies.tasks.shop import Basket, baskets, draw_task

DRAWN: Final = 40  # shops
A_SHOP: Final = 150  # questions of a drawn shop
A_LOG: Final = 6000  # and of a recorded one
WARM: Final = 0.2  # of a log's baskets come before the first question
MASKED: Final = 0.2  # of the questions
EPOCHS: Final = 5
BATCH: Final = 16
FIRST_RATE, LAST_RATE = 2e-3, 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Recorded baskets in order of time, and the kinds of items where they are known."""

    name: str
    baskets: Sequence[Basket]
    kinds: Mapping[str, str] = field(default_factory=dict[str, str])
    weight: float = 1.0  # of its number of questions


@dataclass(frozen=True, slots=True)
class Case:
    """A question φ [F, C], kept small, and what each candidate was worth [C]."""

    phi: npt.NDArray[np.float16]
    target: npt.NDArray[np.float16]


def train(
    seed: int, tell: Callable[[str], None], *, logs: Sequence[Log] = (), drawn: int = DRAWN, epochs: int = EPOCHS
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Tensors and what is said of them. The same seed and logs give the same weights."""
    rng = np.random.default_rng([seed, 73])
    cases: list[Case] = []
    for number in range(drawn):
        task = draw_task(seed * 1000 + number)
        shop = list(baskets(task, seed * 1000 + number))
        kinds = {f"i{item}": task.kind_of(f"i{item}") for item in range(task.items)} if number % 2 else {}
        cases += collect(shop, kinds, A_SHOP, rng)
        if number % 10 == 9:
            tell(f"{number + 1} drawn shops, {len(cases)} questions")
    for log in logs:
        cases += collect(log.baskets, log.kinds, int(A_LOG * log.weight), rng)
        tell(f"{log.name}: {len(cases)} questions in all")
    weights = fit(cases, seed, epochs, rng, tell)
    about = {
        "schema": SCHEMA,
        "features": ",".join(FEATURES),
        "seed": str(seed),
        "questions": str(len(cases)),
        "trained_on": ", ".join([f"{drawn} drawn shops", *(log.name for log in logs)]),
    }
    return {name: kept(array).astype(np.float32) for name, array in weights.arrays().items()}, about


def collect(log: Sequence[Basket], kinds: Mapping[str, str], count: int, rng: np.random.Generator) -> list[Case]:
    """Up to `count` questions spread over a log, after its first part."""
    first = int(WARM * len(log))
    asked = set(rng.choice(np.arange(first, len(log)), min(count, len(log) - first), replace=False).tolist())
    shop = Shop(kinds=kinds)
    past: dict[str, deque[Visit]] = {}
    cases: list[Case] = []
    for number, (at, user, items) in enumerate(log):
        latest = past.setdefault(user, deque(maxlen=2))
        if number in asked:
            masked = rng.random() < MASKED
            known = list(latest)[len(latest) - min(len(latest), int(rng.integers(3))) :]
            question = shop.ask(shop.after(known) if masked else shop.buyer(user), at)
            target = question.target(shop.number(items))
            if target.any():
                cases.append(Case(question.phi.astype(np.float16), target.astype(np.float16)))
        shop.observe(user, items, at)
        latest.append((items, at))
    return cases


def fit(
    cases: Sequence[Case], seed: int, epochs: int, rng: np.random.Generator, tell: Callable[[str], None]
) -> Weights:
    """Adam with a falling rate over shuffled cases."""
    location, scale = _usual(cases)
    learner = Learner(weights=untrained(location, scale, seed), batch=BATCH)
    done, all_of_them = 0, epochs * len(cases)
    for epoch in range(epochs):
        loss = 0.0
        order: list[int] = rng.permutation(len(cases)).tolist()
        for number in order:
            learner.rate = FIRST_RATE * (LAST_RATE / FIRST_RATE) ** (done / all_of_them)
            loss += learn(learner, cases[number])
            done += 1
        tell(f"epoch {epoch + 1} of {epochs}: loss {loss / len(cases):.4f}")
    return learner.weights


def learn(learner: Learner, case: Case) -> float:
    """One case; its loss."""
    target: Floats = case.target.astype(np.float64)
    found = forward(learner.weights, case.phi.astype(np.float64))
    learner.learn(found, residual(found.scores, target))
    highest = found.scores.max()
    return float(target.sum() * (highest + np.log(np.exp(found.scores - highest).sum())) - target @ found.scores)


def _usual(cases: Iterable[Case]) -> tuple[Floats, Floats]:
    """The mean and deviation of each feature: [F] each."""
    some = np.concatenate([case.phi[:, ::7] for case in cases], axis=1).astype(np.float64)
    return some.mean(axis=1), some.std(axis=1) + 0.01
