"""Which events an entity has had already, in bounded memory. Times and ids only."""

from hashlib import blake2b
from typing import Final, Literal

import msgspec

GENERATION: Final = 100
_WIDTH: Final = 8

Verdict = Literal["new", "duplicate", "too-late"]


class Seen(msgspec.Struct):
    """At least the last `generation` event ids of one entity, as 64-bit hashes, in two generations.

    When the young generation is full the old one is forgotten. An event older than anything forgotten can't be told
    from a copy of it, so it is `too-late`: not acted on, and counted.
    """

    young: bytes = b""
    old: bytes = b""
    young_until: int = 0  # the greatest event time of each generation
    old_until: int = 0
    forgotten_until: int = 0

    def admit(self, event_id: str, at: int, generation: int = GENERATION) -> Verdict:
        """Whether this event is to be acted on; remembers it if so. `at` in epoch milliseconds."""
        digest = blake2b(event_id.encode(), digest_size=_WIDTH).digest()
        if _holds(self.young, digest) or _holds(self.old, digest):
            return "duplicate"
        if at < self.forgotten_until:
            return "too-late"
        self.young += digest
        self.young_until = max(self.young_until, int(at))
        if len(self.young) >= generation * _WIDTH:
            self._turn()
        return "new"

    def _turn(self) -> None:
        self.forgotten_until = max(self.forgotten_until, self.old_until)
        self.old, self.old_until = self.young, self.young_until
        self.young, self.young_until = b"", 0


def _holds(ids: bytes, digest: bytes) -> bool:
    place = ids.find(digest)
    while place >= 0 and place % _WIDTH:  # a match across two neighbours is no match
        place = ids.find(digest, place + 1)
    return place >= 0
