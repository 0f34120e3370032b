"""How a shop's own purchases teach the encoder: its weights go on from those that serve, tied to those that ship.

The objective is the one that they were meta-trained by: softmax cross-entropy of the item bought among others that are
drawn by popularity, here from the other purchases told of. What was bought, and not only what was shown, is learned
from, so that no choice of a policy stands between. A few dozen weights from thousands of purchases hardly overfit.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import torch

from policies.adam import Adam
from policies.attention.encoder import Weights
from policies.attention.experience import Purchase, questions_of
from policies.attention.prior import PRIOR, weights_of
from policies.attention.questions import Questions
from policies.attention.training import LIMIT, lifts_of
from policies.linalg import Floats
from policies.meta.sample import Episode, Split
from policies.version import Priors

FEWEST, MOST = 40, 3_000  # purchases to learn from: the latest
STEPS: Final = 150
BATCH: Final = 256
FIRST_RATE, LAST_RATE = 0.03, 0.0015
ANCHOR: Final = 3.0  # of the squared distance to what ships, against one purchase's surprise
_torch: Any = torch  # its stubs leave the types open


class Histories:
    """Purchases, each with the history before it (`policies.attention.experience`)."""

    shipped: Priors = PRIOR

    def propose(self, given: Split, serving: Priors) -> Priors | None:
        episodes = sorted((one for stream in given.train for one in stream), key=lambda one: one.at)
        told = _purchases(episodes)[-MOST:]
        if len(told) < FEWEST:
            return None
        rng = np.random.default_rng(len(told))
        learned = fit(questions_of(told, told, rng), serving, rng)
        return serving | {name: array.astype(np.float32).tolist() for name, array in learned.arrays().items()}

    def score(self, given: Split, prior: Priors) -> Floats:
        """How well each judged entity's purchases after the cut are foretold: mean log-likelihood [E]."""
        later = [_purchases(one for one in stream if one.at >= given.cut) for stream in given.judged]
        told = [one for each in later for one in each]
        if not told:
            return np.zeros(len(later))
        asked = questions_of(told, told, np.random.default_rng(len(told)))  # of every prior the same
        said = log_likelihood(asked, weights_of(prior))
        owner = np.repeat(np.arange(len(later)), [len(each) for each in later])
        total = np.bincount(owner, said, minlength=len(later))
        return total / np.maximum(1, np.bincount(owner, minlength=len(later)))

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        del given, candidate, serving  # purchases are told of whether anything was shown or not
        return np.zeros(0)


def _purchases(episodes: Iterable[Episode]) -> list[Purchase]:
    """Those that can be read: a sample may hold some of another package."""
    found: list[Purchase] = []
    for one in episodes:
        try:
            found.append(Purchase(one.phi))
        except ValueError:
            continue
    return found


def log_likelihood(asked: Questions, weights: Weights) -> Floats:
    """Of the item bought, for each question [N]."""
    everything = np.arange(len(asked.ages))
    parts = [
        torch.log_softmax(lifts_of(_tensors(weights), asked, everything[begin : begin + BATCH]), dim=1)[:, 0].numpy()
        for begin in range(0, len(everything), BATCH)
    ]
    return np.concatenate(parts)


def fit(asked: Questions, serving: Priors, rng: np.random.Generator) -> Weights:
    """The weights to which the questions lead from those that serve, by Adam with a falling rate. One thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _fit(asked, serving, rng)
    finally:
        torch.set_num_threads(threads)


def _fit(asked: Questions, serving: Priors, rng: np.random.Generator) -> Weights:
    count = len(asked.ages)
    ships = _tensors(weights_of(PRIOR))
    learned = {name: x.requires_grad_() for name, x in _tensors(weights_of(serving)).items()}
    adam = Adam(learned.values())
    for step in range(STEPS):
        some = rng.choice(count, min(BATCH, count), replace=False)
        surprise = -torch.log_softmax(lifts_of(learned, asked, some), dim=1)[:, 0].mean()
        away = sum((((learned[name] - ships[name]) ** 2).sum() for name in ships), torch.zeros(()))
        adam.forget_gradients()
        _torch.autograd.backward(surprise + ANCHOR / count * away)
        adam.step(FIRST_RATE * (LAST_RATE / FIRST_RATE) ** (step / STEPS))
        with torch.no_grad():
            for each in learned.values():
                each.clamp_(-LIMIT, LIMIT)
    return Weights.of({name: each.detach().numpy() for name, each in learned.items()})


def _tensors(weights: Weights) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array) for name, array in weights.arrays().items()}
