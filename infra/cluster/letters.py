"""What becomes of a message that can't be read: a dead letter with its place, its reason and its original bytes."""

from base64 import b64encode
from typing import Final

from infra.cluster.clients import Lain
from streams.codec import MalformedRecord
from streams.records import DeadLetter
from streams.topics import Topic

ROOM: Final = 16 * 1024 * 1024  # max.message.bytes of the dead-letters topic
_LARGEST: Final = 10 * 1024 * 1024  # original bytes that fit into it as base64, with the rest of the letter


def dead_letter(topic: Topic, partition: int, raw: Lain, problem: MalformedRecord) -> DeadLetter:
    """The letter for one message. Its time is the log's own, so that a retry writes the same letter.

    Bytes beyond what the topic can take are left out, and the detail says so: the place names where they lie.
    """
    value, key = raw.value, raw.key
    detail = problem.detail
    if len(value or b"") + len(key or b"") > _LARGEST:
        detail += f" ({len(value or b'')} bytes of value and {len(key or b'')} of key are left out here)"
        value = key = None
    return DeadLetter(
        topic=topic.name,
        partition=partition,
        offset=raw.offset,
        reason=problem.reason,
        detail=detail,
        value=_text(value),
        key=_text(key),
        at=raw.timestamp,
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else b64encode(raw).decode()
