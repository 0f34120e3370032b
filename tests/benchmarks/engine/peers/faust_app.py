"""The reference job in Faust: an agent over a stream, a table, a send per output, as its documentation writes it.

    python -m tests.benchmarks.engine.peers.faust_app BROKER PREFIX DATA_FOLDER JOB_FOLDER

At least once, its default; `memory://` tables with their changelog topic, its fastest store.
"""

import sys
from pathlib import Path
from typing import Any

from streams.codec import encode
from streams.topics import USER_EVENTS
from tests.benchmarks.engine.job import PARTITIONS, SHARED, Job, views
from tests.benchmarks.engine.peers.one import OneByOne


def build(broker: str, prefix: str, data_folder: str, one: OneByOne) -> Any:
    """The app."""
    import faust

    app: Any = faust.App(
        f"{prefix}faust",
        broker=f"kafka://{broker}",
        store="memory://",
        datadir=data_folder,
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=PARTITIONS,
        consumer_auto_offset_reset="earliest",
        value_serializer="raw",
        key_serializer="raw",
    )
    events = app.topic(SHARED + USER_EVENTS.name, key_type=bytes, value_type=bytes)
    outputs = {
        topic.name: app.topic(prefix + topic.name, key_type=bytes, value_type=bytes) for topic in one.agent.emits
    }
    users = app.Table("users", key_type=bytes, value_type=bytes, partitions=PARTITIONS)

    @app.agent(events)
    async def recommend(stream: Any) -> None:  # pyright: ignore[reportUnusedFunction] # Faust calls it
        async for event in stream.events():
            at = event.message
            made, user = one.step(
                users.get(event.key), event.key, event.value, int(at.timestamp * 1000), at.partition, at.offset
            )
            users[event.key] = user
            for each in made:
                key = each.topic.key(each.record).encode()
                await outputs[each.topic.name].send(key=key, value=encode(each.record))

    return app


def main() -> None:
    import faust

    broker, prefix, data_folder, job_folder = sys.argv[1:]
    one = OneByOne(views=views(Job.at(Path(job_folder))))
    worker: Any = faust.Worker(build(broker, prefix, data_folder, one), loglevel="INFO", override_logging=True)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
