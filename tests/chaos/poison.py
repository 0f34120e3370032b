"""Bad payloads, drawn from a seed. Each is a good event spoilt in a way that leaves no doubt that it can't be read."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from tests.chaos.events import Message, event
from tests.kafka.harness import AT

_STRUCTURE: Final = b'{}[]":,'
Spoil = Callable[[random.Random, bytes, bytes], Message]


def _cut(rng: random.Random, key: bytes, value: bytes) -> Message:
    return key, value[: rng.randrange(len(value))]


def _byte(rng: random.Random, key: bytes, value: bytes) -> Message:
    """A byte that can't stand alone in UTF-8, put in anywhere."""
    place = rng.randrange(len(value) + 1)
    return key, value[:place] + bytes([rng.randrange(0x80, 0x100)]) + value[place:]


def _structure(rng: random.Random, key: bytes, value: bytes) -> Message:
    """One of the signs that hold the JSON together, gone."""
    place = rng.choice([n for n, byte in enumerate(value) if byte in _STRUCTURE])
    return key, value[:place] + value[place + 1 :]


def _tail(rng: random.Random, key: bytes, value: bytes) -> Message:
    return key, value + rng.choice([b"}", b"]", b"0", b",", value, b"\x00"])


def _noise(rng: random.Random, key: bytes, value: bytes) -> Message:
    return key, b"\xff" + rng.randbytes(rng.randrange(400))


def _without(rng: random.Random, key: bytes, value: bytes) -> Message:
    said = orjson.loads(value)
    del said[rng.choice(["event_id", "user_id", "type", "occurred_at"])]
    return key, orjson.dumps(said)


def _type(rng: random.Random, key: bytes, value: bytes) -> Message:
    said = orjson.loads(value)
    field = rng.choice(["event_id", "user_id", "type", "occurred_at"])
    wrong: list[Any] = [None, True, 1.5, [], {}, [said[field]]]
    return key, orjson.dumps(said | {field: rng.choice(wrong)})


def _bound(rng: random.Random, key: bytes, value: bytes) -> Message:
    wrong: list[dict[str, Any]] = [
        *({"quantity": -0.01}, {"quantity": 1.1e9}, {"price": -1}, {"slate_size": 0}, {"slate_size": 101}),
        *({"type": "buy"}, {"event_id": ""}, {"event_id": "e" * 257}, {"item_id": ""}, {"context": []}),
    ]
    return key, orjson.dumps(orjson.loads(value) | rng.choice(wrong))


def _number(rng: random.Random, key: bytes, value: bytes) -> Message:
    """What Python's own json would take for a number."""
    return key, value[:-1] + b',"price":' + rng.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01"]) + b"}"


def _time(rng: random.Random, key: bytes, value: bytes) -> Message:
    at = rng.choice([0, -AT, 946_684_799_999, 4_102_444_800_000, 2**63, "yesterday", "2017-01-01T12:00:00"])
    return key, orjson.dumps(orjson.loads(value) | {"occurred_at": at})


def _nested(rng: random.Random, key: bytes, value: bytes) -> Message:
    depth = rng.randrange(2_000, 20_000)
    return key, value[:-1] + b',"context":' + b'{"x":' * depth + b"1" + b"}" * depth + b"}"


def _key(rng: random.Random, key: bytes, value: bytes) -> Message:
    return rng.choice([b"", None, key + b"x", b"\xff" + key, key.upper()]), value


def _null(rng: random.Random, key: bytes, value: bytes) -> Message:
    return key, None


SPOILS: Final[tuple[Spoil, ...]] = (
    *(_cut, _byte, _structure, _tail, _noise, _without, _type),
    *(_bound, _number, _time, _nested, _key, _null),
)


def bad(rng: random.Random, number: int) -> Message:
    """A bad message, made from the number-th event."""
    key, value = event(number, f"u{rng.randrange(100)}", 1.0, AT + number)
    return rng.choice(SPOILS)(rng, key or b"", value or b"")


def among_good(rng: random.Random, good: int, poison: int) -> Iterator[tuple[Message, bool]]:
    """Good messages and bad ones, mixed; whether each is good."""
    order = [True] * good + [False] * poison
    rng.shuffle(order)
    for number, fine in enumerate(order):
        if fine:
            yield event(number, f"u{rng.randrange(100)}", 1.0, AT + number), True
        else:
            yield bad(rng, number), False
