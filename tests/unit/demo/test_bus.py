"""Keys land where Kafka's own clients put them."""

import pytest

from infra.demo.bus import partition_of


# From the Java client's own test of murmur2 (UtilsTest), masked to 31 bits.
@pytest.mark.parametrize(
    ("key", "digest"), [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)]
)
def test_partitions_are_those_of_the_default_partitioner(key: str, digest: int) -> None:
    assert partition_of(key, 7) == (digest & 0x7FFFFFFF) % 7
