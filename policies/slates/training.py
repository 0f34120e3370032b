"""The prior that a shop's first slates are chosen by: learned over drawn shops as a learner does within one.

The mean goes on from the flat prior's by the slow loop's own step (policies.meta.outer_loop): each round serves shops
that none before it has met by the prior so far, and follows the gradient of what the order of slots earned in all of
them. Precisions follow from how far features spread within a slate, and the noise from how far off the means were. How
much is explored isn't learned here: other versions are judged by it, and what pays in a simulated shop says nothing of
that.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from policies.artefact import Array
from policies.linalg import Floats
from policies.meta.outer_loop import School
from policies.meta.sample import Split, Stream
from policies.portable import rounded
from policies.slates.recommend import FEATURES, FLAT, MEMORY_MS
from policies.tasks.shop import ShopTask, draw_task
from policies.tasks.tastes import TasteShop, draw_shop
from policies.version import Priors

Tell = Callable[[str], None]
Shop = TasteShop | tuple[ShopTask, int]  # with tastes, and looks before they buy; or with habits, and the seed of them

SHOPS: Final = 24  # of a round
ROUNDS: Final = 2  # more go on gaining in drawn shops, and lose in a real one (docs/adr/0019)
JUDGED: Final = 12  # shops that nothing is learned from

# What isn't known of one weight sways a score within a slate by about this much: so draws of the weights don't put
# what nobody wants before what many do, only because a feature is of order one (docs/adr/0018).
SWAY: Final = 0.001
_NEVER: Final = 2**62


class Played(NamedTuple):
    """A shop served by a prior: each user's slates as a learner hears of them, how far each feature spread among the
    candidates of a slate, as a mean variance [d], and the share of what was then bought that the slates held."""

    streams: list[Stream]
    variance: Floats
    recall: float


Play = Callable[[Shop, Priors], Played | None]  # None: a shop that is passed over


def train(
    seed: int, tell: Tell, *, play: Play, shops: int = SHOPS, rounds: int = ROUNDS, judged: int = JUDGED
) -> tuple[dict[str, Array], dict[str, str]]:
    """A mean, precision, noise, temperature and width, and what is said of them. Some minutes on one core."""
    drawn = _drawn(seed)
    first = _round(drawn, play, FLAT, shops)
    prior: Priors = FLAT | {"precision": _precision(first)}
    for number in range(rounds):
        served = _round(drawn, play, prior, shops)
        prior = _moved(served, prior)
        tell(f"slates, round {number + 1} of {rounds}: {shops} shops, recall {_recall(served):.4f} before it")
    prior = prior | {"noise": rounded(_noise(_round(drawn, play, prior, shops), prior))}
    others = [next(drawn) for _ in range(judged)]
    flat, learned = ([one for each in others if (one := play(each, told))] for told in (FLAT, prior))
    recalls = {"recall_flat_prior": f"{_recall(flat):.4f}", "recall_learned": f"{_recall(learned):.4f}"}
    about = {"drawn_shops": str(shops * (rounds + 2)), **recalls}
    tell(f"slates of {len(learned)} other shops: " + ", ".join(f"{name} {value}" for name, value in recalls.items()))
    return {name: np.array(prior[name], dtype=np.float64) for name in FLAT}, about


def _drawn(seed: int) -> Iterator[Shop]:
    """One shop after the other, of either kind by turns, none of them twice."""
    number = seed * 100_000 + 50_000  # attention learns from those before
    while True:
        yield draw_shop(number)
        yield draw_task(number), number
        number += 1


def _round(drawn: Iterator[Shop], play: Play, prior: Priors, shops: int) -> list[Played]:
    """The next so many shops that aren't passed over."""
    found: list[Played] = []
    while len(found) < shops:
        if (one := play(next(drawn), prior)) is not None:
            found.append(one)
    return found


def _moved(served: list[Played], prior: Priors) -> Priors:
    """The prior with the mean to which all the shops' slates lead."""
    streams = [stream for one in served for stream in one.streams]
    school = School(shipped=FLAT, memory_ms=MEMORY_MS)
    proposed = school.propose(Split(train=streams, judged=[], cut=_NEVER), prior)
    return prior if proposed is None else prior | {"mean": [rounded(weight) for weight in proposed["mean"]]}


def _precision(served: list[Played]) -> list[list[float]]:
    """[d, d] of each weight, that by which a deviation of it sways a score by `SWAY`, but no less than the flat one."""
    variance = np.mean([one.variance for one in served], axis=0)
    least = np.diag(np.array(FLAT["precision"]))
    own = [rounded(each) for each in np.maximum(least, variance / SWAY**2).tolist()]
    return [[each * (i == j) for j in range(len(FEATURES))] for i, each in enumerate(own)]


def _noise(served: list[Played], prior: Priors) -> float:
    """The mean square by which what a slot earned was off what the mean said: each shop counts alike."""
    mean = np.array(prior["mean"])

    def of(one: Played) -> float:
        off = [episode.y - episode.phi @ mean for stream in one.streams for episode in stream]
        return float(np.mean(np.concatenate(off) ** 2))

    return float(np.mean([of(one) for one in served if one.streams]))


def _recall(served: list[Played]) -> float:
    return float(np.mean([one.recall for one in served]))
