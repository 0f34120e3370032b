"""The least that any engine must do: consume, parse, write JSON, produce. aiokafka alone; nothing is promised.

    python -m tests.benchmarks.engine.peers.bare BROKER INPUT OUTPUT GROUP

Records go to the partition number that they came from. What was sent is awaited one round later, so that the client
always has work; positions are committed every second.
"""

import asyncio
import sys
from time import monotonic
from typing import Any, Final

import aiokafka
import orjson

from infra.cluster.clients import Batch

_BATCH_BYTES: Final = 512 * 1024
_COMMIT_S: Final = 1.0


async def pump(broker: str, source: str, target: str, group: str) -> None:
    """Until killed."""
    client: Any = aiokafka
    consumer = client.AIOKafkaConsumer(
        source, bootstrap_servers=broker, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = client.AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=_BATCH_BYTES)
    await consumer.start()
    await producer.start()
    on_their_way: list[Any] = []
    committed_at = monotonic()
    while True:
        fetched: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=100)
        sent: list[Any] = []
        for tp, records in fetched.items():
            batch: Batch = producer.create_batch()
            for record in records:
                value = orjson.dumps(orjson.loads(record.value))
                if batch.append(timestamp=None, key=record.key, value=value, headers=[]) is None:
                    sent.append(await producer.send_batch(batch, target, partition=tp.partition))
                    batch = producer.create_batch()
                    batch.append(timestamp=None, key=record.key, value=value, headers=[])
            sent.append(await producer.send_batch(batch, target, partition=tp.partition))
        await asyncio.gather(*on_their_way)
        on_their_way = sent
        if monotonic() - committed_at >= _COMMIT_S:
            await asyncio.gather(*on_their_way)
            on_their_way = []
            await consumer.commit()
            committed_at = monotonic()


if __name__ == "__main__":
    asyncio.run(pump(*sys.argv[1:]))
