"""What answers at an address: asked over Kafka's own protocol. Starts and stops nothing."""

import logging
import socket
from dataclasses import dataclass
from typing import Any, Final, cast

_TIMEOUT_S: Final = 2.0
_TIMEOUT_MS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The cluster behind an address; `topics` without Kafka's internal ones."""

    cluster_id: str
    topics: int


def listening(port: int) -> bool:
    """Whether anything accepts connections on this machine's `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_S)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ask(address: str) -> Answer | None:
    """The cluster that answers at `address` (host:port), or None where no Kafka does within five seconds."""
    from kafka import KafkaAdminClient  # 0.2 s to import, and most commands don't ask
    from kafka.errors import KafkaError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # that nobody answers is an answer here, not an error
    try:
        admin: Any = KafkaAdminClient(bootstrap_servers=address, request_timeout_ms=_TIMEOUT_MS)
    except (KafkaError, OSError):
        return None
    try:
        cluster = cast("dict[str, Any]", admin.describe_cluster())
        topics = cast("list[str]", admin.list_topics())
    except (KafkaError, OSError):
        return None
    finally:
        admin.close()
    return Answer(cluster_id=str(cluster["cluster_id"]), topics=sum(not name.startswith("__") for name in topics))
