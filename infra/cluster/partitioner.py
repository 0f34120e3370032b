"""Which partition a key belongs to: murmur2, as Kafka's Java client has it, so that anyone's producer agrees."""

from functools import lru_cache
from struct import Struct
from typing import Final

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_WORD: Final = Struct("<I")


def partition_for(key: bytes, partitions: int) -> int:
    """The partition, of `partitions`, that Kafka's default partitioner puts `key` on.

    >>> partition_for(b"household-1", 4) == partition_for(b"household-1", 4)
    True
    """
    return positive_hash(key) % partitions


@lru_cache(maxsize=1 << 17)
def positive_hash(key: bytes) -> int:
    """What is divided by the number of partitions; its rest is the partition."""
    return murmur2(key) & 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit murmur2 of `data` (org.apache.kafka.common.utils.Utils.murmur2).

    >>> murmur2(b"21") == -973932308 & 0xFFFFFFFF
    True
    """
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for (word,) in _WORD.iter_unpack(memoryview(data)[:whole]):
        k = word * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
