"""Learner: experiences of all domains in, a new version of the policy out whenever enough was learned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np

from agents.contract import Agent, Draft, Input, State, Step, Work
from agents.fold import fold
from policies import demand, pacing, recommend
from policies.belief import GaussianPrior
from policies.demand import DemandPopulation
from policies.pacing_population import PacingPopulation
from policies.population import Individual, Population
from policies.version import PolicyVersion, Priors
from streams.records import Experience, PolicyVersionRecord
from streams.seen import Seen
from streams.topics import EXPERIENCES, POLICY_VERSIONS

NAME: Final = "learner"
GROWTH: Final = 0.25  # a domain's prior is estimated anew once its experiences have grown by a quarter
BUCKETS: Final = 64
REMEMBERED: Final = 32


class Latest(msgspec.Struct):
    """The version last published, and how many experiences each domain had taken in then and now."""

    number: int = 0
    priors: dict[str, Any] = {}
    told: dict[str, int] = {}
    taken: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """How one domain learns: what it keeps of an experience, the prior that it draws from all, and how it forgets."""

    at_least: int  # new experiences before its prior is estimated anew
    learn: Callable[[Draft, Experience, Priors], None]
    prior: Callable[[Draft], Priors]
    shipped: Priors
    forget: Callable[[Draft, Experience], None] = lambda draft, told: None  # only a person is forgotten


def _learn_weights(draft: Draft, told: Experience, prior: Priors) -> None:
    one = draft.edit(f"individual/{told.entity}", Individual)
    population = draft.edit(f"population/{told.domain}", Population)
    population.learn(one, np.array(told.contexts), np.array(told.outcomes), GaussianPrior.of(prior))


def _forget_weights(draft: Draft, told: Experience) -> None:
    one = draft.find(f"individual/{told.entity}", Individual)
    if one is not None:
        draft.edit(f"population/{told.domain}", Population).forget(one)
        draft.remove(f"individual/{told.entity}")


def _learn_pacing(draft: Draft, told: Experience, prior: Priors) -> None:
    draft.edit(f"population/{told.domain}", PacingPopulation).update(told.entity, told.contexts, told.outcomes)


def _learn_demand(draft: Draft, told: Experience, prior: Priors) -> None:
    draft.edit(f"population/{told.domain}", DemandPopulation).update(told.entity, told.contexts, told.outcomes)


PUPILS: Final = {
    recommend.DOMAIN: Pupil(
        at_least=200,
        learn=_learn_weights,
        prior=lambda draft: draft.edit(f"population/{recommend.DOMAIN}", Population).prior(recommend.PRIOR),
        shipped=recommend.PRIOR,
        forget=_forget_weights,
    ),
    pacing.DOMAIN: Pupil(
        at_least=5,
        learn=_learn_pacing,
        prior=lambda draft: draft.edit(f"population/{pacing.DOMAIN}", PacingPopulation).prior(),
        shipped=pacing.PRIOR,
    ),
    "replenishment": Pupil(
        at_least=500,
        learn=_learn_demand,
        prior=lambda draft: draft.edit("population/replenishment", DemandPopulation).prior(),
        shipped=demand.PRIOR,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnerAgent:
    """Re-estimates each domain's prior from the stream, and publishes it as the next version."""

    name: str = NAME
    reads: tuple[Any, ...] = (EXPERIENCES,)
    watches: tuple[Any, ...] = ()
    emits: tuple[Any, ...] = (POLICY_VERSIONS,)

    def step(self, state: State, batch: Sequence[Input], policy: PolicyVersion, now: int) -> Step:
        work = _Work(draft=Draft(state.entries, state.memo))
        end = fold(work.draft, batch, now, on_record=work.take, on_timer=lambda name, at: None)
        return work.done(end)


@dataclass(slots=True, kw_only=True)
class _Work(Work):
    def take(self, given: Input, now: int) -> None:
        told: Experience = given.record
        seen = self.draft.edit(f"seen/{crc32(told.experience_id.encode()) % BUCKETS}", Seen)
        verdict = seen.admit(told.experience_id, told.occurred_at, REMEMBERED)
        if verdict == "duplicate":
            self.ignore(verdict)
            return
        pupil = PUPILS[told.domain]
        if told.kind == "erasure":
            pupil.forget(self.draft, told)
            return
        latest = self.draft.edit("latest", Latest)
        pupil.learn(self.draft, told, latest.priors.get(told.domain, pupil.shipped))
        latest.taken[told.domain] = latest.taken.get(told.domain, 0) + 1
        if self._enough(latest, told.domain, pupil):
            self._publish(latest, told, pupil, now)

    def _enough(self, latest: Latest, domain: str, pupil: Pupil) -> bool:
        before = latest.told.get(domain, 0)
        return latest.taken[domain] - before >= max(pupil.at_least, GROWTH * before)

    def _publish(self, latest: Latest, told: Experience, pupil: Pupil, now: int) -> None:
        latest.told[told.domain] = latest.taken[told.domain]
        latest.priors = latest.priors | {told.domain: pupil.prior(self.draft)}
        version = PolicyVersion(
            number=latest.number + 1,
            parent=latest.number,
            priors=latest.priors,
            published_at=now,
            evidence={"domain": told.domain, "experiences": dict(latest.taken)},
        )
        latest.number = version.number
        self.put(POLICY_VERSIONS, as_record(version))


def as_record(version: PolicyVersion) -> PolicyVersionRecord:
    """A version as it travels."""
    return PolicyVersionRecord(
        number=version.number,
        parent=version.parent,
        published_at=version.published_at,
        priors=version.priors,
        evidence=version.evidence,
        sha256=version.sha256,
    )


def build() -> Agent:
    return LearnerAgent()
