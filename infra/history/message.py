"""One message as it lies in a log, whichever log that is: bytes, and where and when they lay there."""

from typing import NamedTuple

from streams.topics import Topic


class Message(NamedTuple):
    """`timestamp` is the log's own (epoch ms). Where `offset` is None, whoever takes the message in counts."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int = 0
    offset: int | None = None


class Rejected(NamedTuple):
    """What a source holds that is no message, as its dead letter: the letter's offset is the line's or row's number."""

    letter: Message


Found = Message | Rejected  # what a history yields: nothing that a source holds is left out unsaid
