"""How the embedded broker is set up: its properties, and how its Java is called. Data in, text out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HEAP: Final = "384m"

# One node can't replicate; and it serves tests and a demo on a small machine: nothing waits, little is kept ready.
_FIXED: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.retention.ms": "-1",  # history replayed from another year must not be swept away
    "log.cleaner.dedupe.buffer.size": "16777216",  # the default, 128 MB, is a third of the heap
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What one broker has beyond the others: further listeners, as `PROTOCOL://host:port`, and properties."""

    listeners: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


PLAIN: Final = Addition()


def properties(*, port: int, controller_port: int, log_dir: Path, addition: Addition = PLAIN) -> str:
    """The text of server.properties, listening on this machine alone."""
    reached = [f"PLAINTEXT://127.0.0.1:{port}", *addition.listeners]
    own = {
        "listeners": ",".join((*reached, f"CONTROLLER://127.0.0.1:{controller_port}")),
        "advertised.listeners": ",".join(reached),
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": str(log_dir),
    }
    return "".join(f"{name}={value}\n" for name, value in (_FIXED | own | dict(addition.properties)).items())


def java(main: str, *arguments: str, java: Path, classpath: str) -> list[str]:
    """The command line of one of Kafka's programs, with a heap and a collector for a small machine."""
    return [
        str(java),
        f"-Xmx{HEAP}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "--sun-misc-unsafe-memory-access=allow",  # Kafka's own use of it, which Java 25 warns of
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        classpath,
        main,
        *arguments,
    ]
