"""One attempt at a better prior: a candidate from a sample of entities, and the gate's verdict on it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from policies.linalg import Floats
from policies.meta.gate import FEWEST, Verdict, judge
from policies.meta.sample import FOLDS, Split, Stream, cut_of, split
from policies.meta.schools import Learns
from policies.version import Priors

FEW: Final = 64  # entities; of fewer none can be spared, so each fold in turn is judged on
_LATER: Final = 0.75  # the share of the experiences that lies before those that are judged on
_LATER_OF_FEW: Final = 0.5
_NOBODY: Final = -1
_NEVER: Final = 2**63 - 1
_SLACK: Final = 0.01  # nats per outcome by which what ranks better may foretell worse


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A candidate; what it foretells better, in log-likelihood per outcome, and earns more, in reward per pair."""

    candidate: Priors
    foretold: Verdict
    earned: Verdict
    trained_on: int
    cut: int

    @property
    def passed(self) -> bool:
        """Where it can be told what it earns, that has to be more, and not for a belief that is out by much.

        To foretell well what was shown is not to rank well: elsewhere there is no more to go by.
        """
        if self.earned.entities < FEWEST:
            return self.foretold.better
        return self.earned.better and not self.foretold.worse(-_SLACK)


def attempt(school: Learns, streams: Sequence[tuple[str, Stream]], serving: Priors) -> Trial | None:
    """Learn from some entities, judge on others at later times; None where there is nothing to learn.

    Of few entities, four candidates are judged, each on the fold that it didn't learn from, and what is proposed has
    learned from all: that is judged by candidates that knew less. So it is with drawn slates, however many entities
    there are, as what an order earns takes many to tell; what is proposed there has learned from all times too.
    """
    drawn = any(one.drawn for _, stream in streams for one in stream)
    every = drawn or len(streams) < FEW
    cut = cut_of((stream for _, stream in streams), _LATER_OF_FEW if every else _LATER)
    trials = [split(streams, judged, cut) for judged in (range(FOLDS) if every else range(1))]
    candidates = [school.propose(given, serving) for given in trials]
    whole = split(streams, _NOBODY, _NEVER if drawn else cut) if every else trials[0]
    candidate = school.propose(whole, serving) if every else candidates[0]
    if candidate is None:
        return None
    gains = [_gains(school, given, own or serving, serving) for given, own in zip(trials, candidates, strict=True)]
    return Trial(
        candidate=candidate,
        foretold=judge(np.concatenate([gain for gain, _ in gains])),
        earned=judge(np.concatenate([earned for _, earned in gains])),
        trained_on=len(whole.train),
        cut=cut,
    )


def _gains(school: Learns, given: Split, candidate: Priors, serving: Priors) -> tuple[Floats, Floats]:
    """What a candidate foretells better for each judged entity, as it is known and as if it were new; and earns."""
    known, new = (school.score(one, candidate) - school.score(one, serving) for one in (given, given.as_new))
    return (known + new) / 2, school.earns(given, candidate, serving)
