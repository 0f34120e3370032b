"""Keys fall where Kafka's own clients put them."""

import pytest

from infra.cluster.partitioner import murmur2, partition_for

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), JAVA.items())
def test_the_hash_is_that_of_the_java_client(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "expected"), JAVA.items())
def test_the_partition_is_that_of_the_java_client(key: bytes, expected: int) -> None:
    assert partition_for(key, 7) == (expected & 0x7FFFFFFF) % 7
