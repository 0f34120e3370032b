"""The reference job in Quix Streams: stateful, exactly once, as its documentation writes such a thing.

    python -m tests.benchmarks.engine.peers.quix_app BROKER PREFIX STATE_FOLDER JOB_FOLDER

Its defaults are kept: a checkpoint (one transaction) every 5 s, RocksDB state with a changelog topic.
"""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false, reportUnknownParameterType=false
# pyright: reportUnknownLambdaType=false
# Quix lives in an environment of its own, which the checker doesn't see.

import sys
from pathlib import Path
from typing import Any

from agents.contract import Output
from streams.codec import encode
from streams.topics import USER_EVENTS
from tests.benchmarks.engine.job import SHARED, Job, views
from tests.benchmarks.engine.peers.one import OneByOne


def main() -> None:
    from quixstreams import Application, State, message_context
    from quixstreams.models import Serializer

    class ValueOf(Serializer):
        """Writes the record of an output."""

        def __call__(self, value: Output, ctx: Any) -> bytes:  # noqa: ARG002 # Quix's signature
            return encode(value.record)

    broker, prefix, state_folder, job_folder = sys.argv[1:]
    one = OneByOne(views=views(Job.at(Path(job_folder))))
    app = Application(
        broker_address=broker,
        consumer_group=f"{prefix}quix",
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        state_dir=state_folder,
    )
    events = app.topic(SHARED + USER_EVENTS.name, value_deserializer="bytes")
    outputs = {
        topic.name: app.topic(prefix + topic.name, key_serializer="str", value_serializer=ValueOf())
        for topic in one.agent.emits
    }

    def step(value: bytes, key: bytes, timestamp: int, _headers: Any, state: State) -> list[Output]:
        at = message_context()
        made, user = one.step(state.get_bytes("user"), key, value, timestamp, at.partition, at.offset)
        state.set_bytes("user", user)
        return made

    made = app.dataframe(events).apply(step, stateful=True, metadata=True, expand=True)
    made.to_topic(lambda value, *_: outputs[value.topic.name], key=lambda value: value.topic.key(value.record))
    app.run()


if __name__ == "__main__":
    main()
