"""Another encoder comes to serve: what is known of a user follows, the log tells all, the erased leave nothing."""

from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from agents.contract import Input, State
from agents.recommendation import RecommendationAgent
from agents.user import User
from infra.judging.block import Block, Way
from infra.judging.logged import decided
from infra.judging.remake import Remade, difference, remake
from infra.judging.slates import Case
from policies.attention.prior import DOMAIN as HISTORIES
from policies.attention.prior import encoder_of
from policies.slates.recommend import ENCODED, FEATURES, MEMORY_MS
from policies.slates.ring import Kept, under
from policies.version import SHIPPED, PolicyVersion
from streams.codec import encode
from streams.records import Decision, Erasure, Experience, UserEvent
from streams.times import DAY, HOUR, MINUTE, EventTime
from streams.topics import ERASURES, USER_EVENTS
from tests.contract import world
from tests.unit.agents.test_like_history import START, shop

OTHER = PolicyVersion(number=3, parent=0, priors={HISTORIES: world.seen_by(9)})


class Shop:
    """The agent as a worker runs it, over items that have embeddings."""

    def __init__(self) -> None:
        self.agent = RecommendationAgent(refresh_interval_ms=3650 * DAY, attribution_window_ms=HOUR)
        self.views = shop(said=True)
        self.entries: dict[str, bytes] = {}
        self.count = 0

    def event(self, kind: Any, at: int, item: str | None = None) -> Input:
        self.count += 1
        event = UserEvent(
            event_id=f"e{self.count}", user_id="ann", type=kind, occurred_at=EventTime(START + at), item_id=item
        )
        return Input(USER_EVENTS, 0, self.count, "ann", event)

    def feed(self, *batch: Input, policy: PolicyVersion = SHIPPED) -> list[Any]:
        step = self.agent.step(State(self.entries, self.views), batch, policy, 0)
        for key, raw in step.writes.items():
            if raw is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = raw
        return [output.record for output in step.outputs]

    def visit(self, day: int, rng: Random, policy: PolicyVersion = SHIPPED) -> list[Any]:
        """Two items looked at, a slate asked for, and something bought of it or not."""
        lot, at = rng.randrange(2), day * DAY
        told = self.feed(
            self.event("view", at, f"i{2 * rng.randrange(60) + lot}"),
            self.event("view", at + MINUTE, f"i{2 * rng.randrange(60) + lot}"),
            self.event("request", at + 2 * MINUTE),
            policy=policy,
        )
        made = [one for one in told if isinstance(one, Decision)][-1]
        wanted = rng.choice([made.chosen[0], f"i{rng.randrange(150)}"])
        return told + self.feed(self.event("purchase", at + 3 * MINUTE, wanted), policy=policy)

    @property
    def user(self) -> User:
        return msgspec.msgpack.decode(self.entries["user/ann"], type=User, dec_hook=lambda kind, raw: kind(raw))

    @property
    def ring(self) -> list[Kept]:
        found = [raw for key, raw in sorted(self.entries.items()) if key.startswith("ring/")]
        return [msgspec.msgpack.decode(raw, type=Kept) for raw in found]


@pytest.fixture
def here() -> Shop:
    made, rng = Shop(), Random(1)
    for day in range(12):
        made.visit(day, rng)
    return made


def told(records: list[Any], kind: type[Any]) -> list[Any]:
    return [one for one in records if isinstance(one, kind)]


def test_what_is_known_of_a_user_is_encoded_again_when_the_user_comes_back(here: Shop) -> None:
    before, ring = here.user.evidence, here.ring
    assert before.encoder == encoder_of(SHIPPED).name
    assert before.read(len(FEATURES))[0][ENCODED, ENCODED] > 0.0
    (made,) = told(here.feed(here.event("request", 11 * DAY + 4 * MINUTE), policy=OTHER), Decision)
    after = here.user.evidence
    assert after == under(before, encoder_of(OTHER), ring, memory_ms=MEMORY_MS)
    assert after != before
    assert made.features["belief"]["shift"].tolist() == np.frombuffer(after.shift).tolist()


@pytest.mark.parametrize("policy", [SHIPPED, OTHER])
def test_a_decision_is_made_again_from_the_log_by_the_encoder_that_made_it(here: Shop, policy: PolicyVersion) -> None:
    here.visit(20, Random(3), policy)
    decisions = told(here.visit(21, Random(4), policy), Decision)
    assert decisions
    assert "history" in decisions[0].features
    for made in remake([decided(encode(one)) for one in decisions], {policy.sha256: policy}):
        assert isinstance(made, Remade)
        assert difference(made) is None


def test_a_rival_is_judged_by_what_its_own_encoder_would_have_seen() -> None:
    """The first slate of a user, by two versions: each one's log says of the other what the other's says of itself."""
    logs: dict[str, Decision] = {}
    for version in (SHIPPED, OTHER):
        one = Shop()
        visit = [one.event("view", 0, "i2")]  # who is new gets a slate at once
        (logs[version.sha256],) = told(one.feed(*visit, policy=version), Decision)
    cases = {name: Case.of(decided(encode(one))) for name, one in logs.items()}
    for mine, other in ((SHIPPED, OTHER), (OTHER, SHIPPED)):
        block = Block([cases[mine.sha256]], Way.of(mine))
        seen, own = block.drawn(Way.of(other)).phi, Block([cases[other.sha256]], Way.of(other)).served.phi
        np.testing.assert_array_equal(seen, own)
        assert not np.array_equal(seen, block.served.phi)


def test_an_old_slate_learns_under_the_encoder_that_serves_when_its_outcome_is_known() -> None:
    here = Shop()
    here.feed(here.event("view", 0, "i2"))  # who is new gets a slate at once
    here.feed(here.event("purchase", 2 * MINUTE, "i8"))
    told_ = here.feed(here.event("search", DAY), policy=OTHER)
    (learned,) = (one for one in told(told_, Experience) if one.domain == "recommendation")
    (kept,) = here.ring
    assert here.user.evidence.encoder == encoder_of(OTHER).name
    np.testing.assert_allclose(np.array(learned.contexts), kept.features(encoder_of(OTHER)))
    assert not np.allclose(np.array(learned.contexts), kept.features(encoder_of(SHIPPED)))


def test_the_ring_keeps_the_last_slates_only(here: Shop) -> None:
    assert len(here.ring) == 8
    assert here.user.rung == 12 + 1  # and one when the user was new


def test_nothing_of_the_ring_is_left_of_the_erased(here: Shop) -> None:
    asked = Input(
        ERASURES, 0, 0, "ann", Erasure(erasure_id="f", user_id="ann", occurred_at=EventTime(START + 12 * DAY))
    )
    view, request = here.event("view", 11 * DAY + HOUR, "i2"), here.event("request", 11 * DAY + HOUR)
    here.feed(view, request, asked)
    assert not [key for key, raw in here.entries.items() if "ann" in key or b"ann" in raw]


def test_the_learner_is_told_of_first_purchases_and_what_came_before() -> None:
    here = Shop()
    here.feed(here.event("view", 0, "i2"), here.event("view", MINUTE, "i4"))
    (said,) = told(here.feed(here.event("purchase", 2 * MINUTE, "i8")), Experience)
    assert (said.domain, said.entity, said.outcomes) == ("history", "ann", [1.0, 0.0, 0.0])
    assert [row[:-2] for row in said.contexts] == [here.views.token(item).tolist() for item in ("i8", "i4", "i2")]  # type: ignore[union-attr]
    assert [round(row[-2] * DAY / MINUTE) for row in said.contexts] == [0, 1, 2]
    assert not told(here.feed(here.event("purchase", 3 * MINUTE, "i10")), Experience)  # one an hour
    again = told(here.feed(here.event("purchase", 90 * MINUTE, "i8")), Experience)  # not for the first time
    assert not [one for one in again if one.domain == "history"]


def test_a_user_without_a_past_teaches_nothing() -> None:
    here = Shop()
    assert not told(here.feed(here.event("purchase", 0, "i8")), Experience)
