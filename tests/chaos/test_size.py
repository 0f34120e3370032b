"""Messages at the size limits: at them, one byte under, one over; coming in and going out."""

import json
from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from tests.chaos.conftest import Form
from tests.chaos.events import Message, event
from tests.chaos.reference import expect
from tests.chaos.trial import Trial
from tests.kafka.harness import AT

INPUT_LIMIT = 1_000_000


def sized(number: int, size: int) -> Message:
    """An event whose value has exactly `size` bytes."""
    key, value = event(number, "u1", 1.0, AT + number, context={"note": ""})
    gap = size - len(value or b"")
    return key, (value or b"").replace(b'"note":""', b'"note":"' + b"x" * gap + b'"')


def padded(number: int, user: str, pad: int) -> Message:
    """An event whose booking is to carry `pad` bytes more."""
    return event(number, user, 1.0, AT + number, context={"pad": pad})


def test_an_input_at_the_limit(trial: Callable[[str], Trial], form: Form) -> None:
    run = trial("input at the size limit")
    sizes = [INPUT_LIMIT + by for by in (-1, 0, 1)] * form.of(1, 20)
    run.faults = len(sizes)
    run.supervise()
    run.send(sized(number, size) for number, size in enumerate(sizes))
    expected = run.finish()
    assert len(expected.letters) == len(sizes) // 3
    assert expected.booked == len(sizes) // 3 * 2


def test_an_output_at_the_limit(trial: Callable[[str], Trial]) -> None:
    run = trial("output at the size limit")
    limit = 2_000
    run.faults = 1
    worker = run.supervise(max_record_bytes=str(limit))
    worker.wait_ready(2)
    empty = expect([_Lain(*padded(0, "u0", 0))]).bookings[0][0]
    pad = limit - len(json.dumps(empty, separators=(",", ":"))) - len("u0")
    run.send([padded(n, f"u{n}", pad + by) for n, by in enumerate((-1, 0))])
    run.settle()
    run.send([padded(2, "u2", pad + 1), padded(3, "u2", 0)])
    worker.wait_restarted(1)
    assert "made a record of 2001 bytes" in worker.ends[0].last
    assert "TRADEWIND_MAX_RECORD_BYTES allows 2000" in worker.ends[0].last
    worker.set(max_record_bytes="2001")
    expected = run.finish()
    assert expected.booked == 4
    said = [one for one in run.onlooker.seen if one.topic.endswith("bookings")]
    assert sorted(len(one.key or b"") + len(one.value or b"") for one in said)[1:] == [1999, 2000, 2001]


def test_an_output_that_the_topic_does_not_take(trial: Callable[[str], Trial]) -> None:
    run = trial("output over the topic's limit")
    run.faults = 1
    worker = run.supervise(max_record_bytes="3000000")
    worker.wait_ready(2)
    run.send([padded(0, "u0", 10), padded(1, "u0", 1_200_000), padded(2, "u0", 10)])
    worker.wait_restarted(1)
    assert "over the broker's limit: raise max.message.bytes" in worker.ends[0].last
    assert "bookings" in worker.ends[0].last
    admin: Any = KafkaAdminClient(bootstrap_servers=run.setting.address)
    resource = ConfigResource(
        ConfigResourceType.TOPIC, f"{run.setting.prefix}bookings", configs={"max.message.bytes": "4000000"}
    )
    admin.alter_configs([resource])
    admin.close()
    assert run.finish().booked == 3


class _Lain:
    """A message as the reference wants it."""

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self.key, self.value = key, value
        self.partition = self.offset = 0
        self.timestamp = AT + 10
