"""Names for decisions that come out the same however often they are made."""

from hashlib import blake2b


def decision_id(agent: str, *what: object) -> str:
    """The id of the decision that this agent takes on this occasion: 128 bits of a hash, in hex.

    >>> decision_id("recommendation", "event-1") == decision_id("recommendation", "event-1")
    True
    """
    body = "\x1f".join((agent, *map(str, what)))
    return blake2b(body.encode(), digest_size=16).hexdigest()
