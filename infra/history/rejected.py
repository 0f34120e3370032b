"""What a file holds that is no message, as a dead letter: it is counted and named like any other."""

from base64 import b64encode
from typing import Final

from infra.history.message import Message, Rejected
from streams.codec import encode
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS

FILE: Final = "events-file"  # the topic of a dead letter whose line names none


def rejected(found: bytes, number: int, at: int, *, reason: str, detail: str, topic: str = "") -> Rejected:
    """The letter for line or row `number` (from 1 on); `at` is the log's time of the message before it, epoch ms."""
    letter = DeadLetter(
        topic=topic or FILE,
        partition=0,
        offset=number,
        reason=reason,
        detail=detail,
        value=b64encode(found).decode(),
        at=at,
    )
    return Rejected(Message(DEAD_LETTERS, DEAD_LETTERS.key(letter).encode(), encode(letter), at))
