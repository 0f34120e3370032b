"""What is registered, and what a worker then writes; against a registry that speaks the real protocol, on a socket."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import web

from infra.contract.cloudevents import attributes_of
from infra.contract.examples import example_of
from infra.contract.registry import frame, frames
from infra.contract.schemas import schema_of
from infra.errors import UserError
from infra.serving.outlet import Outlet
from infra.settings import Settings, load
from streams.codec import decode, record_of
from streams.records import UserEvent
from streams.topics import DECISIONS, EXPERIENCES, RECOMMENDATIONS, TOPICS, USER_EVENTS

SECRET = "zebra-42"  # noqa: S105 # of this test only
LATE = 4_102_444_800_000


@dataclass
class Registry:
    """A registry in memory: a schema has one number wherever it is registered, as Confluent's has."""

    password: str | None = None
    answer: tuple[int, dict[str, Any]] | None = None
    schemas: list[str] = field(default_factory=list[str])
    subjects: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    async def register(self, request: web.Request) -> web.Response:
        if self.answer is not None:
            return web.json_response(self.answer[1], status=self.answer[0])
        wanted = None if self.password is None else "Basic " + b64encode(f"me:{self.password}".encode()).decode()
        if wanted is not None and request.headers.get("Authorization") != wanted:
            return web.json_response({"error_code": 401, "message": "Unauthorized"}, status=401)
        if request.content_type != "application/vnd.schemaregistry.v1+json":
            return web.json_response({"error_code": 415, "message": "wrong type"}, status=415)
        given = await request.json()
        if given["schemaType"] != "JSON" or "properties" not in orjson.loads(given["schema"]):
            return web.json_response({"error_code": 42201, "message": "Invalid schema"}, status=422)
        if given["schema"] not in self.schemas:
            self.schemas.append(given["schema"])
        number = self.schemas.index(given["schema"]) + 1
        versions = self.subjects.setdefault(request.match_info["subject"], [])
        versions += [number] if number not in versions else []
        return web.json_response({"id": number})


@asynccontextmanager
async def serving(registry: Registry) -> AsyncGenerator[str]:
    app = web.Application()
    app.router.add_post("/subjects/{subject}/versions", registry.register)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def registered(registry: Registry, times: int = 1, **settings: Any) -> dict[str, bytes]:
    async def go() -> dict[str, bytes]:
        async with serving(registry) as url:
            loaded = Settings(prefix="eu.", schema_registry_url=url, **settings)
            for _ in range(times - 1):
                await frames(loaded, TOPICS)
            return await frames(loaded, TOPICS)

    return asyncio.run(go())


def test_what_subscribers_read_is_registered_under_its_name_on_the_cluster() -> None:
    registry = Registry()
    found = registered(registry, times=2)
    actions = {topic.name for topic in TOPICS if topic.role == "action"}
    wanted = {*actions, "decisions", "outcomes", "dead-letters"}
    assert found.keys() == wanted
    assert registry.subjects.keys() == {f"eu.{name}-value" for name in wanted}
    assert len(registry.schemas) == len(wanted)  # the second start found them there
    number = registry.subjects["eu.decisions-value"][0]
    assert found["decisions"] == frame(number)
    assert orjson.loads(registry.schemas[number - 1]) == schema_of(DECISIONS)


def test_without_a_registry_nothing_is_framed() -> None:
    assert asyncio.run(frames(Settings(), TOPICS)) == {}


def test_a_password_is_sent_and_never_shown() -> None:
    registry = Registry(password=SECRET)
    assert registered(registry, schema_registry_user="me", schema_registry_password=SECRET)
    with pytest.raises(UserError, match="TRADEWIND_SCHEMA_REGISTRY_PASSWORD") as told:
        registered(registry, schema_registry_user="me", schema_registry_password=SECRET[:3])
    assert SECRET[:3] not in str(told.value)
    assert SECRET not in repr(Settings(schema_registry_password=SECRET))  # pyright: ignore[reportArgumentType]


REFUSALS: list[tuple[int, dict[str, Any], str]] = [
    (409, {"error_code": 409, "message": "incompatible with an earlier schema"}, "incompatible with an earlier"),
    (403, {}, "give this user the right"),
    (404, {"error_code": 404}, "is TRADEWIND_SCHEMA_REGISTRY_URL a schema registry's?"),
    (200, {"id": -1}, "HTTP 200"),
    (200, {"id": "seven"}, "HTTP 200"),
]


@pytest.mark.parametrize(("status", "body", "said"), REFUSALS)
def test_a_refusal_says_what_to_do(status: int, body: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as told:
        registered(Registry(answer=(status, body)))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_registry_that_is_away_is_told() -> None:
    with pytest.raises(UserError, match="doesn't answer"):
        asyncio.run(frames(Settings(schema_registry_url="http://127.0.0.1:9", start_timeout_s=2), TOPICS))


def test_a_url_carries_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_SCHEMA_REGISTRY_URL", "http://me:sesame@registry")
    with pytest.raises(UserError, match="TRADEWIND_SCHEMA_REGISTRY_URL"):
        load()


def outlet(**more: Any) -> Outlet:
    return Outlet(RECOMMENDATIONS, name="eu.recommendations", partitions=2, agent="x", limit=10_000, **more)


RECORD = record_of(RECOMMENDATIONS, example_of(RECOMMENDATIONS), None, LATE)


def test_what_goes_out_framed_comes_in_again() -> None:
    message = outlet(frame=frame(258)).messages([RECORD], {})[0]
    assert (message.value or b"")[:5] == b"\0\0\0\1\2"
    assert decode(RECOMMENDATIONS, message.key, message.value, LATE - 1)[1] == RECORD


def test_cloud_events_attributes_go_beside_the_record() -> None:
    message = outlet(attributes=attributes_of(RECOMMENDATIONS, "eu.recommendations")).messages([RECORD], {})[0]
    assert dict(message.headers) == {
        "schema": b"recommendations/1",
        "ce_specversion": b"1.0",
        "ce_type": b"tradewind.recommendations.v1",
        "ce_source": b"/tradewind/eu.recommendations",
        "ce_id": b"d-8f3a",
        "ce_time": b"2017-01-01T12:00:00.000Z",
        "ce_subject": b"household-1021",
        "content-type": b"application/json",
    }


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.role != "input"], ids=str)
def test_every_record_that_goes_out_has_an_id_and_a_time(topic: Any) -> None:
    record = record_of(topic, example_of(topic), None, LATE)
    made = dict(attributes_of(topic, topic.name)(record, b"k"))
    assert made["ce_id"]
    assert made["ce_time"].startswith(b"2017-01-0")
    assert attributes_of(EXPERIENCES, "x")(record_of(EXPERIENCES, example_of(EXPERIENCES), None, LATE), b"k")


EVENT = {"event_id": "e", "user_id": "u", "type": "view", "occurred_at": 1_483_272_000_000}
CLOUD = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "viewed", "data": EVENT}


@pytest.mark.parametrize(
    "value",
    [
        frame(7) + orjson.dumps(EVENT),
        orjson.dumps(CLOUD),
        orjson.dumps({**CLOUD, "data": {**EVENT, "occurred_at": "2017-01-01T12:00:00Z"}}),
        frame(7) + orjson.dumps(CLOUD),
    ],
    ids=["framed", "structured", "structured-text-time", "framed-structured"],
)
def test_events_in_another_services_envelope_are_read(value: bytes) -> None:
    key, event = decode(USER_EVENTS, b"u", value, LATE - 1)
    assert isinstance(event, UserEvent)
    assert (key, event.event_id, event.occurred_at) == ("u", "e", 1_483_272_000_000)
