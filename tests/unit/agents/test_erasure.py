"""Who is forgotten leaves nothing behind, starts anew afterwards, and nobody else is touched."""

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from agents import learner
from agents.contract import Input, Output, State
from agents.erased import MEMORY
from agents.user import User
from policies.slates.recommend import DOMAIN, FEATURES
from policies.version import SHIPPED
from streams.records import Decision, Erasure, Experience, Outcome, Recommendation, UserEvent
from streams.times import DAY, HOUR, EventTime
from streams.topics import ERASURES, EXPERIENCES
from streams.views import Views
from tests.unit.agents.test_recommendation import START, Shop, of

ASKED = START + 3 * HOUR


def told(here: Shop, erasure: Erasure) -> tuple[list[Output], dict[str, int]]:
    given = Input(ERASURES, 0, 0, erasure.user_id, erasure)
    step = here.agent.step(State(here.entries, here.views), [given], here.policy, 0)
    for key, raw in step.writes.items():
        if raw is None:
            here.entries.pop(key, None)
        else:
            here.entries[key] = raw
    return step.outputs, step.ignored


def erasure(user: str = "ann", at: int = ASKED, name: str = "f1") -> Erasure:
    return Erasure(erasure_id=name, user_id=user, occurred_at=EventTime(at))


def user(here: Shop, name: str) -> User:
    return msgspec.msgpack.decode(here.entries[f"user/{name}"], type=User, dec_hook=lambda kind, raw: kind(raw))


@pytest.fixture
def here() -> Shop:
    """Ann and bob have shopped, each with a slate that still waits for its outcome."""
    shop = Shop(attribution_window_ms=DAY)
    for n, who in enumerate(["ann", "bob"] * 3):
        shop.tell("purchase", user=who, item_id=f"i{n}", at=START + n)
        shop.tell("request", user=who, at=START + n * HOUR // 3)
    return shop


def test_nothing_names_the_forgotten_any_more_and_the_other_is_as_before(here: Shop) -> None:
    before = here.entries["user/bob"]
    assert any(b"ann" in raw for key, raw in here.entries.items() if key.startswith("timers/"))
    told(here, erasure())
    assert here.entries["user/bob"] == before
    assert not [key for key, raw in here.entries.items() if "ann" in key or b"ann" in raw]
    assert any(b"bob" in raw for key, raw in here.entries.items() if key.startswith("timers/"))


def test_the_learner_is_told_and_nothing_else_is_said(here: Shop) -> None:
    outputs, _ = told(here, erasure())
    (said,) = (output.record for output in outputs)
    assert isinstance(said, Experience)
    assert (said.kind, said.entity, said.domain, said.contexts) == ("erasure", "ann", "recommendation", [])


def test_open_slates_of_the_forgotten_never_get_an_outcome(here: Shop) -> None:
    decided = {one.decision_id for one in of(Decision, here.tell("request", at=START + 2 * HOUR))}
    told(here, erasure())
    outputs = here.tell("search", user="bob", at=START + 5 * DAY)
    outputs += here.tell("request", user="ann", at=START + 6 * DAY)
    closed = of(Outcome, outputs)
    assert closed
    assert {one.entity for one in closed} == {"bob"}
    assert not decided & {one.decision_id for one in closed}


def test_a_request_in_the_same_batch_is_answered_before_its_user_is_forgotten(here: Shop) -> None:
    event = UserEvent(event_id="r", user_id="ann", type="request", occurred_at=EventTime(ASKED - 1))
    inputs = [Input(here.agent.reads[0], 0, 90, "ann", event), Input(ERASURES, 0, 0, "ann", erasure())]
    step = here.agent.step(State(here.entries, here.views), inputs, here.policy, 0)
    assert [one.event_id for one in of(Recommendation, step.outputs)] == ["r"]
    assert step.writes["user/ann"] is None


def test_a_copy_of_the_request_changes_nothing(here: Shop) -> None:
    told(here, erasure())
    here.tell("purchase", item_id="i5", at=ASKED + HOUR)
    before = dict(here.entries)
    assert told(here, erasure()) == ([], {"duplicate": 1})
    assert here.entries == before


def test_another_request_forgets_again(here: Shop) -> None:
    told(here, erasure())
    here.tell("purchase", item_id="i5", at=ASKED + HOUR)
    told(here, erasure(at=ASKED + 2 * HOUR, name="f2"))
    assert "user/ann" not in here.entries


def test_who_comes_back_starts_anew(here: Shop) -> None:
    told(here, erasure())
    never = Shop(attribution_window_ms=DAY)
    said: list[list[Recommendation]] = []
    for shop in (here, never):
        shop.tell("purchase", item_id="i9", at=ASKED + HOUR, event_id="back")
        said.append(of(Recommendation, shop.tell("request", at=ASKED + 2 * HOUR, event_id="ask")))
    assert said[0] == said[1] != []
    assert list(user(here, "ann").profile.items) == ["i9"]


@pytest.mark.parametrize("back", [False, True])
def test_an_event_from_before_that_comes_again_doesnt_count(here: Shop, *, back: bool) -> None:
    told(here, erasure())
    if back:
        here.tell("search", at=ASKED + HOUR)
    kept = dict(here.entries)
    old = UserEvent(event_id="e1", user_id="ann", type="purchase", item_id="i0", occurred_at=EventTime(START))
    for event in (old, replace(old, event_id="never-seen", occurred_at=EventTime(ASKED))):
        assert here.feed(event) == []
    assert here.entries == kept


def test_events_dated_after_the_request_that_lay_before_it_dont_count_again() -> None:
    here = Shop()
    here.tell("purchase", item_id="i1", at=ASKED + HOUR, event_id="ahead")
    told(here, erasure(at=ASKED))
    assert here.tell("purchase", item_id="i1", at=ASKED + HOUR, event_id="ahead") == []
    assert "user/ann" not in here.entries


def test_the_mark_names_nobody_and_is_gone_after_its_time(here: Shop) -> None:
    told(here, erasure())
    told(here, erasure(at=ASKED + DAY, name="f2"))
    (mark,) = (key for key in here.entries if key.startswith("erased/"))
    here.tell("search", user="bob", at=ASKED + MEMORY + HOUR)
    assert mark in here.entries  # the second request is remembered for as long
    here.tell("search", user="bob", at=ASKED + DAY + MEMORY + HOUR)
    assert mark not in here.entries


def test_a_user_nobody_knows_can_be_forgotten() -> None:
    here = Shop()
    outputs, _ = told(here, erasure(user="stranger"))
    assert len(outputs) == 1
    assert [key.split("/")[0] for key in here.entries if not key.startswith("timers/")] == ["clock", "erased"]


class School:
    """The learner as a worker runs it."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.rng = np.random.default_rng(5)

    def tell(self, entity: str, name: str, kind: Any = "outcome") -> None:
        phi = self.rng.normal(size=(3 if kind == "outcome" else 0, len(FEATURES)))
        said = Experience(
            experience_id=name,
            domain=DOMAIN,
            entity=entity,
            occurred_at=EventTime(START),
            contexts=phi.tolist(),
            outcomes=[1.0, 0.0, 0.5][: len(phi)],
            policy_version=0,
            kind=kind,
        )
        step = learner.build().step(State(self.entries, Views()), [Input(EXPERIENCES, 0, 0, entity, said)], SHIPPED, 0)
        for key, raw in step.writes.items():
            if raw is None:
                del self.entries[key]
            else:
                self.entries[key] = raw

    def of(self, entity: str) -> dict[str, bytes]:
        return {key: raw for key, raw in self.entries.items() if entity in key or entity.encode() in raw}


def test_the_learner_keeps_nothing_of_the_forgotten_and_all_of_the_others() -> None:
    school = School()
    for n in range(4):
        school.tell("bob", f"b{n}")
    without = school.of("bob")
    for n in range(3):
        school.tell("ann", f"a{n}")
    assert "individual/ann" in school.of("ann")
    school.tell("ann", "f1", "erasure")
    assert school.of("ann") == {}
    assert school.of("bob") == without


def test_a_copy_of_an_unlearning_and_one_of_nobody_change_nothing() -> None:
    school = School()
    school.tell("ann", "a1")
    school.tell("ann", "f1", "erasure")
    school.tell("ann", "a2")
    before = dict(school.entries)
    school.tell("ann", "f1", "erasure")
    assert school.entries == before
    school.tell("stranger", "f2", "erasure")
    assert {key: raw for key, raw in school.entries.items() if not key.startswith("seen/")} == {
        key: raw for key, raw in before.items() if not key.startswith("seen/")
    }
