"""A request to forget is done when the logs show it, in whatever order they are read, and not before."""

from dataclasses import dataclass
from itertools import permutations

import msgspec
import pytest

from agents.erased import unlearning_id
from infra.cluster.clients import Partition, Raw
from infra.errors import UserError
from infra.privacy.forget import checked
from infra.privacy.proof import Places, Proof, Recorded, Watch
from infra.state.changelog import PROGRESS
from infra.state.mark import Progress
from streams.times import EventTime

STATE, TOLD, LEARNED = Partition("r-changelog", 3), Partition("experiences", 0), Partition("l-changelog", 0)
ASKED = checked("ann", EventTime(1_483_228_800_000), None)


@dataclass
class Row:
    """A record of one of the logs."""

    key: bytes | None
    value: bytes | None
    offset: int = 0
    topic: str = ""
    partition: int = 0
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def came_to(topic: str, offset: int) -> Row:
    return Row(PROGRESS.encode(), msgspec.msgpack.encode(Progress(applied={topic: offset})))


def watched(*fetches: tuple[Partition, list[Raw]]) -> Proof:
    watch = Watch(
        Places(state=STATE, told=TOLD, learned=LEARNED),
        Recorded(request=ASKED, partition=3, offset=7),
        lambda _: None,
    )
    for place, rows in fetches:
        watch.read(place, rows)
    return watch.proof


GONE: tuple[Partition, list[Raw]] = (STATE, [Row(b"user/ann", None), came_to("erasures", 7)])
TELLING: tuple[Partition, list[Raw]] = (
    TOLD,
    [Row(b"ann", b'{"experience_id":"%s"}' % unlearning_id(ASKED).encode(), 40)],
)
UNLEARNED: tuple[Partition, list[Raw]] = (LEARNED, [Row(b"individual/ann", None), came_to("experiences", 41)])


@pytest.mark.parametrize("order", list(permutations([GONE, TELLING, UNLEARNED])))
def test_it_is_done_once_all_logs_show_it(order: tuple[tuple[Partition, list[Raw]], ...]) -> None:
    assert watched(*order[:2]).waits_for is not None
    proof = watched(*order)
    assert proof.waits_for is None
    assert (proof.recommendation, proof.learner) == ("removed", "removed")


def test_progress_short_of_the_request_is_no_proof() -> None:
    early: list[Raw] = [Row(b"user/ann", b"what it was"), came_to("erasures", 6)]
    proof = watched((STATE, early), TELLING, (LEARNED, [came_to("experiences", 39)]))
    assert (proof.recommendation, proof.learner) == (None, None)
    assert proof.worker_seen


def test_where_nothing_was_kept_nothing_is_said_to_be_removed() -> None:
    proof = watched((STATE, [came_to("erasures", 7)]), TELLING, (LEARNED, [came_to("experiences", 40)]))
    assert (proof.recommendation, proof.learner) == ("nothing was kept", "nothing was kept")


def test_who_came_back_within_the_same_transaction_began_anew() -> None:
    proof = watched((STATE, [Row(b"user/ann", b"anew"), came_to("erasures", 9)]))
    assert proof.recommendation == "removed, and begun anew by a later event"


def test_what_comes_later_doesnt_change_the_verdict() -> None:
    later: list[Raw] = [Row(b"user/ann", b"anew"), came_to("erasures", 7)]
    assert watched(GONE, (STATE, later)).recommendation == "removed"


def test_another_user_is_no_proof() -> None:
    proof = watched((STATE, [Row(b"user/anna", None), came_to("user-events", 99)]))
    assert proof.recommendation is None


@pytest.mark.parametrize("user", ["", "x" * 257, "\ud800"])
def test_an_impossible_user_is_refused_in_one_sentence(user: str) -> None:
    with pytest.raises(UserError, match="USER or --reason can't be taken as it is"):
        checked(user, EventTime(1_483_228_800_000), None)
