"""The weights of attention, meta-trained over many drawn shops: one gradient for all of them, none for any shop's own.

Softmax cross-entropy of the item bought among the others, by Adam (Kingma & Ba 2015) over shuffled questions. The
weights are few, and float64 on one thread: the same seed gives the same ones.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from policies.adam import Adam
from policies.attention.encoder import HIGHEST, KINDS, NOBODY, SCHEMA, SEGMENTS, Tokens, Weights
from policies.attention.questions import NOTHING, Questions, joined, questions
from policies.portable import kept
from policies.tasks.tastes import TasteShop, draw_shop

DRAWN: Final = 120  # shops
A_SHOP: Final = 200  # questions of one
HEADS: Final = 2
EPOCHS: Final = 12
BATCH: Final = 256
FIRST_RATE, LAST_RATE = 0.05, 0.002
_DECAY: Final = 1e-4  # of squared weights: what no shop says stays small
LIMIT: Final = 25.0

Describe = Callable[[TasteShop], Tokens]  # a shop's tokens [I, 32], as the catalog would give them
_torch: Any = torch  # its stubs leave the types open


def train(
    seed: int, tell: Callable[[str], None], *, describe: Describe, drawn: int = DRAWN, epochs: int = EPOCHS
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Tensors and what is said of them."""
    rng = np.random.default_rng([seed, 83])
    asked: list[Questions] = []
    for number in range(drawn):
        shop = draw_shop(seed * 100_000 + number)
        found = questions(shop, describe(shop), A_SHOP, rng)
        if found is not None:
            asked.append(found)
        if number % 20 == 19:
            tell(f"attention: {number + 1} drawn shops, {sum(len(one.ages) for one in asked)} questions")
    given = joined(asked)
    weights = fit(given, seed, epochs, tell)
    asked_in_all = str(len(given.ages))
    about = {"schema": SCHEMA, "seed": str(seed), "questions": asked_in_all, "trained_on": f"{drawn} drawn shops"}
    return {name: kept(array).astype(np.float32) for name, array in weights.arrays().items()}, about


def fit(given: Questions, seed: int, epochs: int, tell: Callable[[str], None], heads: int = HEADS) -> Weights:
    """Adam with a falling rate over shuffled questions."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _fit(given, seed, epochs, tell, heads)
    finally:
        torch.set_num_threads(threads)


def _fit(given: Questions, seed: int, epochs: int, tell: Callable[[str], None], heads: int) -> Weights:
    rng = np.random.default_rng([seed, 84])
    start = {
        "attend": rng.uniform(0.5, 3.0, (heads, len(SEGMENTS))),
        "value": rng.uniform(0.5, 1.5, (heads, len(SEGMENTS))) / heads,
        "level": np.zeros(heads),
        "slope": np.full(heads, 0.2),
        "kind": np.zeros((heads, len(KINDS))),
    }
    learned: dict[str, torch.Tensor] = {name: torch.tensor(x, requires_grad=True) for name, x in start.items()}
    adam = Adam(learned.values())
    count = len(given.ages)
    steps = epochs * (count // BATCH + 1)
    done = 0
    for epoch in range(epochs):
        order, loss_sum = rng.permutation(count), 0.0
        for begin in range(0, count, BATCH):
            some = order[begin : begin + BATCH]
            loss = _loss(learned, given, some)
            penalty = sum(((each**2).sum() for each in learned.values()), torch.zeros(()))
            adam.forget_gradients()
            _torch.autograd.backward(loss + _DECAY * penalty)
            adam.step(FIRST_RATE * (LAST_RATE / FIRST_RATE) ** (done / steps))
            with torch.no_grad():
                for each in learned.values():
                    each.clamp_(-LIMIT, LIMIT)
            loss_sum += float(loss.detach()) * len(some)
            done += 1
        tell(f"attention, epoch {epoch + 1} of {epochs}: loss {loss_sum / count:.4f}")
    return Weights.of({name: each.detach().numpy().astype(np.float32) for name, each in learned.items()})


def _loss(learned: dict[str, torch.Tensor], given: Questions, some: npt.NDArray[np.int64]) -> torch.Tensor:
    lifts = lifts_of(learned, given, some)
    return -torch.log_softmax(lifts, dim=1)[:, 0].mean()


def lifts_of(learned: dict[str, torch.Tensor], given: Questions, some: npt.NDArray[np.int64]) -> torch.Tensor:
    """The lifts [n, 1 + OTHERS] of some questions."""
    alike = torch.as_tensor(given.alike[some].astype(np.float64))  # [n, C, H, 3]
    ages, kinds = torch.as_tensor(given.ages[some].astype(np.float64)), torch.as_tensor(given.kinds[some])
    empty = kinds == NOTHING
    bias = learned["kind"][:, kinds.clamp_min(0)] - learned["slope"][:, None, None] * torch.log1p(ages)
    bias = bias.masked_fill(empty, NOBODY)  # [G, n, H]
    attend = torch.exp(torch.einsum("ncjs,gs->gncj", alike, learned["attend"]) + bias[:, :, None])
    value = torch.einsum("ncjs,gs->gncj", alike, learned["value"]) + learned["level"][:, None, None, None]
    found = ((attend * value).sum(3) / (1.0 + attend.sum(3))).sum(0)
    return found.clamp(-HIGHEST, HIGHEST)
