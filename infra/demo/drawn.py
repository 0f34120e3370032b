"""Numbers drawn from names, for what the data doesn't say: the same name always draws the same."""

from hashlib import blake2b
from typing import Final

_WIDTH: Final = 8


def drawn(*names: object) -> float:
    """A number in [0, 1) from the names.

    >>> drawn("lead time", "1082185") == drawn("lead time", "1082185")
    True
    """
    return drawn_whole(*names) / 256.0**_WIDTH


def drawn_whole(*names: object) -> int:
    """A whole number of 64 bits from the names: a seed."""
    return int.from_bytes(blake2b("\0".join(map(str, names)).encode(), digest_size=_WIDTH).digest())
