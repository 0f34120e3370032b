"""A recorded history as a worker with these settings would have read it: mapped, and its users under pseudonyms.

Headers aren't kept in a history, so what a mapping reads from them is missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from infra.cluster.letters import dead_letter
from infra.history.message import Found, Message, Rejected
from infra.mapping.entrance import Entrance, Original
from infra.mapping.fields import Left
from streams.codec import MalformedRecord, encode
from streams.topics import DEAD_LETTERS, TOPICS


def entered(history: Iterable[Found], entrance: Entrance) -> Iterator[Found]:
    """The same history, as our records. What the mapping can't make a record of comes as a dead letter.

    What the codec can't read is handed on as it is: whoever takes it in finds out.
    """
    readers = {topic: read for topic in TOPICS if (read := entrance.of(topic)) is not None}
    offsets: Counter[tuple[str, int]] = Counter()
    for found in history:
        read = readers.get(found.topic) if isinstance(found, Message) else None
        if read is None or not isinstance(found, Message):
            yield found
            continue
        offset = found.offset
        if offset is None:
            offset = offsets[found.topic.name, found.partition]
            offsets[found.topic.name, found.partition] += 1
        original = Original(offset, found.timestamp, found.key, found.value)
        try:
            key, record = read(found.partition, original)
        except Left:
            continue  # as the mapping says
        except MalformedRecord as problem:
            if found.topic.name not in entrance.rules.edge:
                yield found
                continue
            letter = dead_letter(found.topic, found.partition, original, problem)
            yield Rejected(Message(DEAD_LETTERS, DEAD_LETTERS.key(letter).encode(), encode(letter), found.timestamp))
        else:
            yield found._replace(key=key.encode(), value=None if record is None else encode(record))
