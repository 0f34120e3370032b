"""The learner: it publishes what is better, tells of what isn't, minds what people say, and its memory is bounded."""

from typing import Any

import numpy as np
import pytest

from agents.contract import Input, State
from agents.learner import AT_LEAST, LearnerAgent
from agents.versions import Serving, record_of
from policies.linalg import Floats
from policies.meta.sample import ENTITIES, Split
from policies.meta.schools import SCHOOLS
from policies.slates.recommend import DOMAIN, FEATURES, PRIOR
from policies.version import SHIPPED, PolicyVersion, Priors
from streams.records import Experience, PolicyVersionRecord
from streams.times import HOUR, EventTime
from streams.topics import EXPERIENCES, POLICY_VERSIONS
from streams.views import Views

START = 1_483_228_800_000


class School:
    """The learner as a worker runs it; `said` is what it has put out."""

    def __init__(self) -> None:
        self.agent = LearnerAgent(at_least=AT_LEAST)
        self.entries: dict[str, bytes] = {}
        self.said: list[PolicyVersionRecord] = []
        self.ignored: dict[str, int] = {}
        self.rng = np.random.default_rng(1)
        self.count = 0

    def take(self, *records: Any) -> None:
        topics = [EXPERIENCES if isinstance(record, Experience) else POLICY_VERSIONS for record in records]
        batch = [Input(t, 0, n, t.key(r), r) for n, (t, r) in enumerate(zip(topics, records, strict=True))]
        step = self.agent.step(State(self.entries, Views()), batch, SHIPPED, 0)
        self.said += [output.record for output in step.outputs]
        self.ignored = step.ignored
        for key, raw in step.writes.items():
            if raw is None:
                del self.entries[key]
            else:
                self.entries[key] = raw

    def shop(self, count: int, shift: float, people: int = 60) -> None:
        """Slates whose rewards lie `shift` per feature off what the shipped prior foretells."""
        weights = np.array(PRIOR["mean"]) + shift
        told: list[Experience] = []
        for _ in range(count):
            self.count += 1
            phi = self.rng.random((4, len(FEATURES)))
            one = Experience(
                experience_id=f"x{self.count}",
                domain=DOMAIN,
                entity=f"u{self.rng.integers(people)}",
                occurred_at=EventTime(START + self.count * HOUR),
                contexts=phi.tolist(),
                outcomes=(phi @ weights + PRIOR["noise"] ** 0.5 * self.rng.normal(size=4)).tolist(),
                policy_version=0,
            )
            told.append(one)
        self.take(*told)


@pytest.fixture
def school() -> School:
    return School()


def test_what_passes_the_gate_is_published_with_its_evidence(school: School) -> None:
    school.shop(AT_LEAST[DOMAIN], 0.15)
    (record,) = school.said
    assert (record.act, record.number, record.parent, record.by) == ("publish", 1, 0, "learner")
    assert record.evidence["log_likelihood"]["lower"] > 0
    serving = Serving()
    assert serving.take(record)
    assert serving.current.evidence == record.evidence
    assert np.mean(serving.current.priors[DOMAIN]["mean"]) > np.mean(PRIOR["mean"]) + 0.08


def test_what_does_not_is_told_and_counted_and_takes_no_number(school: School) -> None:
    school.shop(AT_LEAST[DOMAIN], 0.0, people=10_000)  # nobody comes twice: there is nothing to be learned
    (record,) = school.said
    assert (record.act, record.artefact, record.evidence["rejected"]) == ("reject", "", 1)
    assert school.ignored["rejected"] == 1


def test_the_next_one_follows_what_serves(school: School) -> None:
    school.shop(AT_LEAST[DOMAIN], 0.15)
    published = school.said[-1]
    back = record_of(SHIPPED, "promote", by="ann", at=1)
    mine = PolicyVersion(number=9, parent=0, priors={"bidding": {"log_mu": 0.3}})
    school.take(published, back, record_of(mine, "promote", by="ann", at=2))
    school.shop(AT_LEAST[DOMAIN], 0.15)
    record = school.said[-1]
    assert (record.act, record.number, record.parent_sha256) == ("publish", 10, mine.sha256)
    serving = Serving(current=mine)
    assert serving.take(record)
    assert serving.current.priors["bidding"] == {"log_mu": 0.3}  # what others had learned is kept


def test_under_a_hold_it_publishes_and_goes_by_what_is_held(school: School) -> None:
    mine = PolicyVersion(number=9, parent=0, priors={"bidding": {"log_mu": 0.3}})
    school.take(record_of(mine, "rollback", by="ann", at=2, hold=True))
    for _ in range(2):
        school.shop(AT_LEAST[DOMAIN], 0.15)
    assert [(one.number, one.parent) for one in school.said if one.act == "publish"] == [(10, 9), (11, 9)]


def test_what_cannot_be_read_is_passed_over(school: School) -> None:
    broken = record_of(
        PolicyVersion(number=9, parent=0, priors={"bidding": {"log_mu": float("nan")}}), "promote", by="a"
    )
    school.take(broken)
    assert school.ignored == {"unreadable": 1}
    school.shop(AT_LEAST[DOMAIN], 0.15)
    assert school.said[-1].parent == 0


class Overflowing:
    """A school whose candidate foretells better by far, and holds a number that no worker would take."""

    shipped = PRIOR

    def propose(self, given: Split, serving: Priors) -> Priors:
        del given
        return serving | {"noise": float("inf")}

    def score(self, given: Split, prior: Priors) -> Floats:
        return np.full(len(given.judged), float(np.isinf(prior["noise"])))

    def earns(self, given: Split, candidate: Priors, serving: Priors) -> Floats:
        del given, candidate, serving
        return np.zeros(0)


def test_what_no_worker_would_take_is_turned_down_with_the_reason(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCHOOLS, DOMAIN, Overflowing())
    school.shop(AT_LEAST[DOMAIN], 0.15)
    (record,) = school.said
    assert (record.act, record.evidence["rejected"], record.evidence["published"]) == ("reject", 1, 0)
    assert record.reason == "passed the gate and can't be served: recommendation.noise holds numbers that aren't finite"
    assert school.ignored["unfit"] == 1


@pytest.mark.parametrize(
    ("contexts", "outcomes"),
    [
        ([[1.0, 2.0], [3.0]], [1.0, 0.0]),
        ([[1.0] * len(FEATURES)], [1.0, 0.0]),
        ([[1e300] * len(FEATURES)], [1.0]),
        ([list[float]()], [1.0]),
        (list[list[float]](), list[float]()),
        ([[1e29] * len(FEATURES)], [1e29]),
        ([[1.0]], [1.0]),
    ],
)
def test_odd_experiences_never_stop_it(school: School, contexts: list[list[float]], outcomes: list[float]) -> None:
    odd = [
        Experience(
            experience_id=f"odd{n}",
            domain=DOMAIN,
            entity=f"u{n % 60}",
            occurred_at=EventTime(START + n * HOUR),
            contexts=contexts,
            outcomes=outcomes,
            policy_version=0,
        )
        for n in range(AT_LEAST[DOMAIN])
    ]
    school.take(*odd)
    assert [one.act for one in school.said] in ([], ["reject"])


def test_memory_is_bounded(school: School) -> None:
    school.shop(2 * ENTITIES, 0.0, people=100_000)
    before = sum(map(len, school.entries.values()))
    school.shop(3 * ENTITIES, 0.0, people=100_000)
    assert len(school.entries) < ENTITIES + 100
    assert sum(map(len, school.entries.values())) < 1.2 * before
