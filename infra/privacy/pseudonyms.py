"""Users known by pseudonyms: a keyed hash of their id, put in its place where their records enter. No client.

HMAC-SHA256 (RFC 2104), cut to 144 bits: without the key nobody finds out who is meant, not by trying out ids either.
"""

import hmac
from base64 import urlsafe_b64encode
from typing import Any, Final

from msgspec.structs import replace

from infra.settings import Settings
from streams.topics import ERASURES, ORDERS, USER_EVENTS, Topic

NAMING: Final = frozenset({USER_EVENTS.name, ERASURES.name, ORDERS.name})  # the inputs whose records name a user
_BYTES: Final = 18


class Pseudonyms:
    """What users are called inside, by one key."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, user_id: str) -> str:
        """24 characters that a URL may hold.

        >>> Pseudonyms("for-this-example-only").of("u1")
        'vPW1KP51YfdFcYQOPH31wmrb'
        """
        return urlsafe_b64encode(hmac.digest(self._key, user_id.encode(), "sha256")[:_BYTES]).decode()

    def enter(self, topic: Topic, key: str, record: Any) -> tuple[str, Any]:
        """A record as it goes on from here, with its key. A deletion (None) has no user in it."""
        if topic.name not in NAMING or record is None or record.user_id is None:
            return key, record
        known = replace(record, user_id=self.of(record.user_id))
        return topic.key(known), known


def pseudonyms(settings: Settings) -> Pseudonyms | None:
    """Those of the settings; None where users go by their own ids."""
    return None if settings.user_key is None else Pseudonyms(settings.user_key.get_secret_value())
