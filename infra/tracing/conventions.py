"""The names that OpenTelemetry gives to what happens with Kafka. They have moved between versions: they are here only.

Semantic conventions for messaging, as of 1.36 (still in development): operation type and name, the consumer group and
the partition id have lost their `kafka` part since 1.27; the offset is `messaging.kafka.offset` now. A key is never
told: here it names a person.
"""

from typing import Final

SYSTEM: Final = "messaging.system"
OPERATION_NAME: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
PARTITION: Final = "messaging.destination.partition.id"
OFFSET: Final = "messaging.kafka.offset"
GROUP: Final = "messaging.consumer.group.name"
CLIENT: Final = "messaging.client.id"
BATCH: Final = "messaging.batch.message_count"

KAFKA: Final = "kafka"
PROCESS: Final = "process"

SERVICE: Final = "service.name"
INSTANCE: Final = "service.instance.id"
VERSION: Final = "service.version"


def span_name(destination: str) -> str:
    """The name of a span: what is done, and with what.

    >>> span_name("user-events")
    'process user-events'
    """
    return f"{PROCESS} {destination}"
