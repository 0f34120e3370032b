"""A recorded history as a worker with a key for its users would have read it: only pseudonyms in its inputs."""

from collections.abc import Iterable, Iterator

from infra.history.message import Found, Message
from infra.privacy.pseudonyms import NAMING, Pseudonyms
from streams.codec import MalformedRecord, decode, encode


def entered(history: Iterable[Found], users: Pseudonyms | None) -> Iterator[Found]:
    """The same history; where users go by pseudonyms, under those. What can't be read is handed on as it is."""
    for found in history:
        yield found if users is None or not isinstance(found, Message) else _known(found, users)


def _known(message: Message, users: Pseudonyms) -> Message:
    topic = message.topic
    if topic.name not in NAMING:
        return message
    try:
        key, record = users.enter(topic, *decode(topic, message.key, message.value, message.timestamp))
    except MalformedRecord:
        return message
    return message._replace(key=key.encode(), value=encode(record))
