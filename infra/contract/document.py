"""The contract as one AsyncAPI 3 document: channels, operations, messages and schemas, made from topics and records."""

from typing import Any, Final

from infra.cluster.envelope import SCHEMA, TRACEPARENT, schema_header
from infra.contract.cloudevents import CONTENT_TYPE, attributes_of, carries_attributes, type_of
from infra.contract.examples import example_of
from infra.contract.registry import is_framed
from infra.contract.schemas import components
from infra.settings import Settings
from streams.codec import record_of
from streams.topics import TOPICS, Topic

VERSION: Final = "3.0.0"
_KAFKA: Final = "0.5.0"  # of the bindings
_LATE: Final = 4_102_444_800_000
_ROLES: Final = {
    "input": "What Tradewind reads: produce to it.",
    "action": "What Tradewind decides: subscribe to it.",
    "log": "What Tradewind records of its decisions: subscribe to it.",
    "internal": "Between the agents. It may change with any version: subscribe to it for a look only.",
}


def document(settings: Settings, version: str) -> dict[str, Any]:
    """The document, with the topics' names on the cluster by the settings; `version` is the software's."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Tradewind",
            "version": version,
            "description": (
                "Recommendations, bid adjustments and replenishment orders, decided from a shop's events. Records "
                "are JSON, UTF-8. Read with isolation.level=read_committed: then every action is there exactly once. "
                "Ignore fields that you don't know: new ones may come. A change that breaks a reader or a writer "
                "raises the record's version, in the header `schema`."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"cluster": _server(settings)},
        "channels": {topic.name: _channel(topic, settings) for topic in TOPICS},
        "operations": dict(_operation(topic) for topic in TOPICS),
        "components": {
            "messages": {topic.record.__name__: _message(topic, settings) for topic in TOPICS},
            "schemas": components(TOPICS),
        },
    }


def _server(settings: Settings) -> dict[str, Any]:
    secure = "SSL" in settings.security_protocol
    return {"host": settings.servers[0], "protocol": "kafka-secure" if secure else "kafka"}


def _channel(topic: Topic, settings: Settings) -> dict[str, Any]:
    name = settings.topic(topic.name)
    kafka = {
        "topic": name,
        "partitions": 1 if topic.single else settings.partitions,
        "topicConfiguration": {"cleanup.policy": ["compact" if topic.compacted else "delete"]},
        "bindingVersion": _KAFKA,
    }
    return {
        "address": name,
        "title": topic.name,
        "description": _ROLES[topic.role],
        "messages": {topic.record.__name__: {"$ref": f"#/components/messages/{topic.record.__name__}"}},
        "bindings": {"kafka": kafka},
        "x-role": topic.role,
        "x-version": topic.version,
        "x-compacted": topic.compacted,
        **({"x-copartitioned": topic.copartition} if topic.copartition else {}),
    }


def _operation(topic: Topic) -> tuple[str, dict[str, Any]]:
    action = "receive" if topic.role == "input" else "send"
    operation = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"Tradewind {action}s {topic.name}.",
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{topic.record.__name__}"}],
    }
    return f"{action}-{topic.name}", operation


def _message(topic: Topic, settings: Settings) -> dict[str, Any]:
    example = example_of(topic)
    about = (topic.record.__doc__ or "").strip().split("\n")[0]
    key = key_template(topic)
    return {
        "name": topic.record.__name__,
        "title": topic.name,
        **({"summary": about} if about else {}),
        "contentType": CONTENT_TYPE,
        "headers": _headers(topic, settings),
        "payload": {"$ref": f"#/components/schemas/{topic.record.__name__}"},
        **({"correlationId": {"location": "$message.payload#/decision_id"}} if "decision_id" in example else {}),
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _KAFKA}},
        **({"x-framed": "with Confluent's wire format"} if settings.schema_registry_url and is_framed(topic) else {}),
        "examples": [{"name": "whole", "headers": _example_headers(topic, settings), "payload": example}],
    }


class _Fields:
    """Answers for every field of a record with the field's name in braces."""

    def __getattr__(self, name: str) -> str:
        return f"{{{name}}}"


def key_template(topic: Topic) -> str:
    """The key as a pattern over the record's fields.

    >>> from streams.topics import STOCK_UPDATES
    >>> key_template(STOCK_UPDATES)
    '{item_id}@{location}'
    """
    return topic.key(_Fields())


def _headers(topic: Topic, settings: Settings) -> dict[str, Any]:
    """Headers are bytes; these are UTF-8 text."""
    told: dict[str, Any] = {
        SCHEMA: {"type": "string", "const": schema_header(topic)[1].decode(), "description": "the record's contract"},
        TRACEPARENT: {
            "type": "string",
            "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "description": "W3C trace context, handed on from the event that led here",
        },
    }
    if carries_attributes(topic, settings):
        told |= {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_type": {"type": "string", "const": type_of(topic)},
            "ce_source": {"type": "string", "const": f"/tradewind/{settings.topic(topic.name)}"},
            "ce_id": {"type": "string", "description": "unique within the source"},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": {"type": "string", "description": "the message's key"},
            "content-type": {"type": "string", "const": CONTENT_TYPE},
        }
    return {"type": "object", "properties": told}


def _example_headers(topic: Topic, settings: Settings) -> dict[str, str]:
    record = record_of(topic, example_of(topic), None, _LATE)
    made = [schema_header(topic)]
    if carries_attributes(topic, settings):
        made += attributes_of(topic, settings.topic(topic.name))(record, topic.key(record).encode())
    return {name: value.decode() for name, value in made}
