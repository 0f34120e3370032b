"""A schema registry, as far as it is needed: a schema is registered, and its number frames what is written.

The REST protocol is Confluent's, which Apicurio, Karapace and Redpanda speak too.
"""

from base64 import b64encode
from collections.abc import Iterable
from typing import Annotated, Final

import aiohttp
import msgspec
import orjson

from infra.contract.schemas import schema_of
from infra.errors import UserError
from infra.settings import Settings
from streams.topics import Topic

_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_LARGEST: Final = 64 * 1024  # bytes of an answer
_LOGS: Final = {"decisions", "outcomes", "dead-letters"}


def is_framed(topic: Topic) -> bool:
    """Whether subscribers from outside read it: what only this system reads travels without a frame."""
    return topic.role == "action" or topic.name in _LOGS


async def frames(settings: Settings, topics: Iterable[Topic]) -> dict[str, bytes]:
    """What goes before each value, by topic: nothing where no registry is set. Raises UserError.

    Each schema is registered under `<topic on the cluster>-value`; one that is there already keeps its number.
    """
    if settings.schema_registry_url is None:
        return {}
    wanted = sorted({topic.name: topic for topic in topics if is_framed(topic)}.items())
    timeout = aiohttp.ClientTimeout(total=settings.start_timeout_s)
    async with aiohttp.ClientSession(timeout=timeout, headers=_headers(settings)) as session:
        numbers = [await _register(session, settings, topic) for _, topic in wanted]
    return {name: frame(number) for (name, _), number in zip(wanted, numbers, strict=True)}


def frame(number: int) -> bytes:
    """Confluent's wire format: a zero byte, then the schema's number.

    >>> frame(7)
    b'\\x00\\x00\\x00\\x00\\x07'
    """
    return b"\0" + number.to_bytes(4, "big")


def _headers(settings: Settings) -> dict[str, str]:
    named = {"Content-Type": _TYPE, "Accept": _TYPE}
    if settings.schema_registry_user is None:
        return named
    password = settings.schema_registry_password
    pair = f"{settings.schema_registry_user}:{password.get_secret_value() if password else ''}"
    return named | {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


async def _register(session: aiohttp.ClientSession, settings: Settings, topic: Topic) -> int:
    subject = f"{settings.topic(topic.name)}-value"
    url = f"{str(settings.schema_registry_url).rstrip('/')}/subjects/{subject}/versions"
    body = orjson.dumps({"schemaType": "JSON", "schema": orjson.dumps(schema_of(topic)).decode()})
    try:
        async with session.post(url, data=body) as answer:
            told = await answer.content.read(_LARGEST)
            return _number(answer.status, told, subject, settings)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UserError(
            f"the schema registry at {settings.schema_registry_url} doesn't answer ({type(error).__name__}): "
            "start it, or correct TRADEWIND_SCHEMA_REGISTRY_URL"
        ) from error


class _Answer(msgspec.Struct):
    """What the registry says: the schema's number, or why not."""

    id: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] | None = None
    message: str = ""


def _number(status: int, told: bytes, subject: str, settings: Settings) -> int:
    try:
        answer = msgspec.json.decode(told, type=_Answer)
    except ValueError:  # a proxy's page, say
        answer = _Answer()
    if status == 200 and answer.id is not None:
        return answer.id
    advice = {
        401: "set TRADEWIND_SCHEMA_REGISTRY_USER and TRADEWIND_SCHEMA_REGISTRY_PASSWORD",
        403: "give this user the right to register under it",
        409: "the schema there is another one: set its compatibility to NONE, or use another TRADEWIND_PREFIX",
    }.get(status, "is TRADEWIND_SCHEMA_REGISTRY_URL a schema registry's?")
    reason = f"HTTP {status}: {answer.message[:200]}" if answer.message else f"HTTP {status}"
    raise UserError(f"the schema registry at {settings.schema_registry_url} refuses {subject} ({reason}): {advice}")
