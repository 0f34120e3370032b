"""With a key, no user's own id gets behind the entrance; without one, nothing is done to it."""

import tomllib
from typing import Any, NamedTuple

import pytest

from infra.cli import main
from infra.history.entering import entered
from infra.history.message import Message, Rejected
from infra.mapping.entrance import Entrance
from infra.mapping.rules import compiled
from infra.privacy.pseudonyms import Pseudonyms, pseudonyms
from infra.settings import load
from streams.codec import MalformedRecord, encode
from streams.records import Erasure, Order, OrderLine, StockUpdate, UserEvent
from streams.topics import ERASURES, ORDERS, STOCK_UPDATES, USER_EVENTS, Topic

USERS = Pseudonyms("of-users-who-live-as-long-as-the-test")
OTHERS = Pseudonyms("of-users-who-live-as-long-as-the-tests")
AT: Any = 1_483_272_000_000
LINE = OrderLine(item_id="i", location="l", quantity=1)
EVENT = UserEvent(event_id="e", user_id="ann@example.org", type="view", occurred_at=AT, item_id="i")
ERASURE = Erasure(erasure_id="x", user_id="ann@example.org", occurred_at=AT)
ORDER = Order(order_id="o", user_id="ann@example.org", occurred_at=AT, lines=[LINE])


class Raw(NamedTuple):
    key: bytes | None
    value: bytes | None
    offset: int = 0
    timestamp: int = AT
    headers: tuple[()] = ()


def read(topic: Topic, record: Any, users: Pseudonyms | None = USERS, key: bytes | None = None) -> tuple[str, Any]:
    reader = Entrance(users=users).of(topic)
    assert reader is not None
    return reader(0, Raw(key or topic.key(record).encode(), encode(record)))


@pytest.mark.parametrize(("topic", "record"), [(USER_EVENTS, EVENT), (ERASURES, ERASURE), (ORDERS, ORDER)])
def test_every_input_that_names_a_user_enters_with_the_same_pseudonym(topic: Topic, record: Any) -> None:
    key, known = read(topic, record)
    assert known.user_id == USERS.of("ann@example.org")
    assert key == topic.key(known)
    assert b"ann" not in encode(known) + key.encode()


def test_no_other_input_names_one() -> None:
    from typing import get_type_hints

    from streams.topics import TOPICS

    naming = {topic for topic in TOPICS if topic.role == "input" and "user_id" in get_type_hints(topic.record)}
    assert naming == {USER_EVENTS, ERASURES, ORDERS}
    assert Entrance(users=USERS).of(STOCK_UPDATES) is None


def test_a_pseudonym_hangs_on_key_and_user_and_fits_into_names() -> None:
    found = {USERS.of(f"u{n}") for n in range(1_000)} | {OTHERS.of(f"u{n}") for n in range(1_000)}
    assert len(found) == 2_000
    assert all(len(one) == 24 and one.replace("-", "").replace("_", "").isalnum() for one in found)
    assert USERS.of("ü") != USERS.of("u")


def test_the_key_of_the_message_is_compared_before() -> None:
    with pytest.raises(MalformedRecord, match="key-mismatch"):
        read(USER_EVENTS, EVENT, key=b"somebody")
    with pytest.raises(MalformedRecord, match="key-mismatch"):
        read(USER_EVENTS, EVENT, key=USERS.of("ann@example.org").encode())


def test_an_order_of_nobody_stays_one_of_nobody() -> None:
    assert read(ORDERS, Order(order_id="o", occurred_at=AT, lines=[LINE]))[1].user_id is None


def test_a_mapped_message_loses_its_user_too() -> None:
    text = (
        '[[rule]]\nto = "user-events"\nfields = { event_id = "id", user_id = "who", type = { value = "view" }, '
        'occurred_at = { path = "at", unit = "ms" }, item_id = "item" }\n'
    )
    reader = Entrance(compiled(tomllib.loads(text)), USERS).of(USER_EVENTS)
    assert reader is not None
    raw = Raw(b"ann", b'{"id": "e", "who": "ann", "at": 1483272000000, "item": "i"}')
    key, record = reader(0, raw)
    assert key == record.user_id == USERS.of("ann")


def test_without_a_key_the_codec_reads_by_itself() -> None:
    assert pseudonyms(load()) is None
    assert Entrance(users=pseudonyms(load())).of(USER_EVENTS) is None


def test_a_history_is_read_as_it_would_have_been_live() -> None:
    good = Message(USER_EVENTS, b"ann@example.org", encode(EVENT), int(AT), 3, 7)
    bad = Message(USER_EVENTS, b"ann", b"no json", int(AT), 3, 8)
    other = Message(
        STOCK_UPDATES,
        b"i@l",
        encode(StockUpdate(event_id="s", item_id="i", location="l", on_hand=1, occurred_at=AT)),
        int(AT),
    )
    history = [good, bad, Rejected(other), other]
    assert list(entered(history, Entrance())) == history
    first, *rest = entered(history, Entrance(users=USERS))
    assert isinstance(first, Message)
    assert (first.partition, first.offset, first.key) == (3, 7, USERS.of("ann@example.org").encode())
    assert b"ann" not in (first.value or b"")
    assert rest == history[1:]


def test_the_dashboard_finds_a_user_under_the_pseudonym_only() -> None:
    from infra.dashboard.app import service
    from infra.dashboard.model import Model

    settings = load(user_key="of-users-who-live-as-long-as-the-test")
    model = service(settings, host="127.0.0.1", token=None).model
    assert isinstance(model, Model)
    assert model.entrance.users is not None
    assert model.entrance.users.of("u") == USERS.of("u")


def test_the_command_prints_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["pseudonym", "ann"])
    assert "TRADEWIND_USER_KEY" in capsys.readouterr().err
    monkeypatch.setenv("TRADEWIND_USER_KEY", "of-users-who-live-as-long-as-the-test")
    with pytest.raises(SystemExit):
        main(["pseudonym", "ann"])
    assert capsys.readouterr().out.strip() == USERS.of("ann")
