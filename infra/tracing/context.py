"""A W3C trace context as it travels in `traceparent` (Trace Context, level 2, section 3.2). No clock, no dice."""

import re
from hashlib import blake2b
from typing import Final, NamedTuple, Self

_FORM: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 0x01


class Context(NamedTuple):
    """Which trace, which span of it, and its flags."""

    trace_id: int
    span_id: int
    flags: int

    @classmethod
    def read(cls, raw: bytes | None) -> Self | None:
        """What a header says; None for what breaks the form: then there is no trace.

        >>> Context.read(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").sampled
        True
        >>> Context.read(b"00-00000000000000000000000000000000-b7ad6b7169203331-01") is None
        True
        """
        form = _FORM.fullmatch(raw or b"")
        if form is None or form[1] == b"ff" or (form[1] == b"00" and form[5]):
            return None
        trace_id, span_id = int(form[2], 16), int(form[3], 16)
        return cls(trace_id, span_id, int(form[4], 16)) if trace_id and span_id else None

    @property
    def sampled(self) -> bool:
        return bool(self.flags & _SAMPLED)

    def child(self, *place: object) -> Self:
        """The context of what is done with the record at this place: the same again for the same record."""
        told = repr((self.trace_id, self.span_id, *place)).encode()
        span_id = int.from_bytes(blake2b(told, digest_size=8).digest(), "big") or 1
        return self._replace(span_id=span_id)

    def header(self) -> bytes:
        """
        >>> Context.read(b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later").header()
        b'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
        """
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags & 0x03:02x}".encode()
