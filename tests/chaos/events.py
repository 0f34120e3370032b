"""Events to send, drawn from a seed: users at random, amounts at random, time going on."""

import random
from collections.abc import Iterator
from typing import Any, Final

import orjson

from streams.times import HOUR
from tests.kafka.harness import AT

Message = tuple[bytes | None, bytes | None]


def event(number: int, user: str, amount: float, at: int, **more: Any) -> Message:
    """One event as key and value."""
    said = {"event_id": f"e{number}", "user_id": user, "type": "purchase", "occurred_at": at, "quantity": amount}
    return user.encode(), orjson.dumps(said | more)


def steady(rng: random.Random, count: int, users: int = 200, first: int = 0) -> Iterator[Message]:
    """Events whose times go on by a second each."""
    for number in range(first, first + count):
        amount = round(rng.uniform(0, 100), 2)
        yield event(number, f"u{rng.randrange(users)}", amount, AT + number * 1000)


def disordered(rng: random.Random, count: int, users: int = 100) -> Iterator[Message]:
    """Of each hundred: eight come twice, soon or much later; eight come hours late; all come a little out of order."""
    line: list[tuple[float, Message]] = []
    for number in range(count):
        late_s = rng.choice([0] * 23 + [4_000, 90_000])
        message = event(number, f"u{rng.randrange(users)}", rng.randrange(1, 9), AT + (number * 10 - late_s) * 1000)
        place = number + rng.uniform(0, 20)
        line.append((place, message))
        if rng.random() < 0.08:
            line.append((place + rng.choice([0.1, 5, 300, count]), message))
    return (message for _, message in sorted(line, key=lambda one: one[0]))


CLOCKS: Final = {
    "1970": 0,
    "before 2000": 946_684_799_999,
    "2000": 946_684_800_000,
    "2005": 1_104_537_600_000,
    "2100": 4_102_444_800_000,
    "beyond": 2**62,
    "negative": -AT,
}


def jumping(rng: random.Random, count: int, today: int, users: int = 400) -> Iterator[Message]:
    """Every tenth event's clock is wrong: by years, or by hours around the day that one may be ahead of the log."""
    for number in range(count):
        at = AT + number * 1000
        if rng.random() < 0.1:
            ahead = today + rng.choice([-1, 20, 23, 25, 24 * 400]) * HOUR
            at = rng.choice([*CLOCKS.values(), ahead, ahead])
        yield event(number, f"u{rng.randrange(users)}", rng.randrange(1, 9), at)


def heavy(rng: random.Random, users: int, ballast: int, first: int = 0) -> Iterator[Message]:
    """One event for each user, in no order, that puts so many bytes of ballast into the account."""
    for number, user in enumerate(rng.sample(range(users), users), start=first):
        yield event(number, f"u{user}", 1.0, AT + number * 1000, context={"ballast": ballast})
