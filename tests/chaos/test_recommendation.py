"""The recommendation agent itself, killed at random: its slates equal, to the byte, those of an undisturbed replay."""

import random
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pytest
from kafka import KafkaProducer

from infra import provision
from infra.history.message import Message
from infra.replay.cast import chosen
from infra.replay.in_process import InProcess
from infra.settings import Settings, load
from streams.topics import CATALOG, RECOMMENDATIONS, USER_EVENTS, Topic
from tests.chaos import checker, lag, summary
from tests.chaos.conftest import Form
from tests.chaos.onlooker import Isolation, Onlooker, Sighting, sighting, whole
from tests.chaos.supervisor import Supervisor
from tests.chaos.trial import HEALED_S
from tests.kafka.harness import AT, Setting

NAME: Final = "recommendation"
PROGRAM: Final = ("-c", f"from infra.cli import main; main(['worker', '--agents', '{NAME}'])")
ITEMS: Final = 40
PARTITIONS: Final = 2
BATCH: Final = 64  # of the replay: the worker cuts otherwise, and must not make anything else of it
Row = tuple[Topic, str, dict[str, Any]]


def catalog() -> Iterator[Row]:
    for n in range(ITEMS):
        yield CATALOG, f"i{n}", {"item_id": f"i{n}", "category": f"c{n % 4}", "price": 1.0 + n % 7}


def shopping(rng: random.Random, count: int, users: int = 60) -> Iterator[Row]:
    """One event in five asks for a slate; the others view, put into the cart or buy."""
    for number in range(count):
        user = f"u{rng.randrange(users)}"
        event: dict[str, Any] = {"event_id": f"e{number}", "user_id": user, "occurred_at": AT + number * 20_000}
        if rng.random() < 0.2:
            event |= {"type": "request", "slate_size": 10}
        else:
            kind = rng.choice(["view", "view", "click", "add_to_cart", "purchase"])
            event |= {"type": kind, "item_id": f"i{rng.randrange(ITEMS)}", "price": 2.0}
        yield USER_EVENTS, user, event


def tell(setting: Setting, rows: Iterator[Row], pause_s: float = 0) -> None:
    client: Any = KafkaProducer(bootstrap_servers=setting.address, linger_ms=5)
    for number, (topic, key, record) in enumerate(rows):
        client.send(setting.prefix + topic.name, key=key.encode(), value=orjson.dumps(record))
        if pause_s and number % 50 == 49:
            time.sleep(pause_s)
    client.flush(HEALED_S)
    client.close()


def places(setting: Setting, topic: Topic) -> list[tuple[str, int]]:
    return [(setting.prefix + topic.name, number) for number in range(PARTITIONS)]


def replayed(settings: Settings, setting: Setting) -> list[bytes]:
    """The slates of an undisturbed run over the same log, each partition by itself."""
    known = [_message(CATALOG, raw) for raw in whole(setting.address, places(setting, CATALOG))]
    log = [_message(USER_EVENTS, raw) for raw in whole(setting.address, places(setting, USER_EVENTS))]
    slates: list[bytes] = []
    for number in range(PARTITIONS):
        mine = [message for message in log if message.partition == number]
        shop = InProcess(chosen(NAME, settings))
        shop.feed(known)
        out = [made for start in range(0, len(mine), BATCH) for made in shop.feed(mine[start : start + BATCH])]
        slates += [made.value or b"" for made in out if made.topic is RECOMMENDATIONS]
    return slates


def _message(topic: Topic, raw: Any) -> Message:
    return Message(topic, raw.key, raw.value, raw.timestamp, raw.partition, raw.offset)


@dataclass(kw_only=True)
class Shop:
    """The agent on a setting, with an onlooker beside it."""

    setting: Setting
    settings: Settings
    worker: Supervisor
    onlooker: Onlooker

    def disturb(self, rng: random.Random, rows: list[Row], kills: int) -> float:
        """Tell the rows, with kills among them; returns how long it took to handle what was left then."""
        self.worker.wait_ready(PARTITIONS)
        for turn in range(kills):
            mine = rows[turn * len(rows) // kills : (turn + 1) * len(rows) // kills]
            tell(self.setting, iter(mine), pause_s=0.05)
            self.worker.wait_ready(PARTITIONS)
            time.sleep(rng.uniform(0, 0.5))
            self.worker.kill()
        group, topic = f"{self.settings.identity}.{NAME}", f"{self.setting.prefix}{USER_EVENTS.name}"
        return lag.until_zero(self.setting.address, group, topic, HEALED_S)

    def slates(self, isolation: Isolation = "read_committed") -> list[Sighting]:
        found = whole(self.setting.address, places(self.setting, RECOMMENDATIONS), isolation)
        return [sighting(record) for record in found]


@pytest.fixture
def shop(setting: Setting) -> Generator[Shop]:
    settings = load(bootstrap_servers=setting.address, prefix=setting.prefix, partitions=PARTITIONS)
    provision.ensure(settings, chosen(NAME, settings))
    onlooker = Onlooker(setting.address, places(setting, RECOMMENDATIONS))
    # A partition that takes its time from its neighbours does so by the wall clock, and no replay can know when.
    worker = Supervisor(setting, "only", lambda _: PROGRAM, batch_max_records="20", idle_timeout_s="3600")
    tell(setting, catalog())
    onlooker.start()
    worker.start()
    try:
        yield Shop(setting=setting, settings=settings, worker=worker, onlooker=onlooker)
    finally:
        worker.end()
        onlooker.close()


def test_slates_are_those_of_an_undisturbed_replay(shop: Shop, form: Form, seed: int) -> None:
    title = "recommendation, kill -9"
    print(f"{title}: seed {seed}")  # noqa: T201 # pytest shows it where the test fails
    rng = random.Random(f"{title}/{seed}")
    count, kills = form.of((1_500, 2), (20_000, 10))
    rows = list(shopping(rng, count))
    asked = sorted(row[2]["event_id"] for row in rows if row[2]["type"] == "request")
    lag_s = shop.disturb(rng, rows, kills)
    final = shop.slates()
    shop.onlooker.wait(len(final), HEALED_S / 4)
    findings = checker.Findings()
    checker.check_reading(findings, shop.onlooker.seen, final)
    checker.check_once(findings, replayed(shop.settings, shop.setting), [one.value for one in final])
    summary.ROWS.append(
        summary.Row(
            fault=title,
            seed=seed,
            events=count,
            faults=kills,
            restarts=shop.worker.restarts,
            actions=len(final),
            letters=0,
            left_aside=count - len(asked),
            aborted_records=len(shop.slates("read_uncommitted")) - len(final),
            lag_zero_s=round(lag_s, 1),
            findings=findings.counts(),
        )
    )
    assert findings.sound(), f"{title}, seed {seed}: {findings.counts()}\n" + "\n".join(findings.examples)
    answered = [orjson.loads(one.value or b"")["event_id"] for one in final]
    assert sorted(event for event in answered if event in set(asked)) == asked
