"""The dashboard over HTTP: its pages, its API, its headers, and who may."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from infra.dashboard import app as dashboard
from infra.dashboard.pages import FRAGMENTS, Look
from infra.dashboard.service import Service
from infra.settings import load
from streams.records import CatalogItem, DeadLetter
from streams.topics import CATALOG, DEAD_LETTERS
from tests.unit.infra.dashboard.shop import AT, evidence_of, outcome, slates, tell, tell_slate

TOKEN = "correct-horse-battery"  # noqa: S105 # of nothing
HOSTILE = '"><script>alert(1)</script>'
Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


def running(host: str = "127.0.0.1", token: str | None = None) -> Service:
    return dashboard.service(load(bootstrap_servers="127.0.0.1:9"), host=host, token=token, every_s=0.0)


def ask(app: FastAPI, asked: Ask, host: str = "127.0.0.1") -> Any:
    async def talk() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{host}") as client:
            return await asked(client)

    return asyncio.run(talk())


def get(app: FastAPI, path: str, host: str = "127.0.0.1", **options: Any) -> httpx.Response:
    async def asked(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get(path, **options)

    return ask(app, asked, host)


@pytest.fixture
def service() -> Service:
    return running()


@pytest.fixture
def app(service: Service) -> FastAPI:
    return dashboard.build(service, follow=False)


def fill(service: Service) -> None:
    rng = np.random.default_rng(0)
    tell_slate(service.model, slates(rng, [evidence_of(rng, 2)])[0])
    tell(service.model, CATALOG, CatalogItem(item_id="i1", category="DAIRY"))


def test_an_empty_page_says_what_to_do(app: FastAPI) -> None:
    page = get(app, "/")
    assert page.status_code == 200
    assert "No decisions yet: start a worker with `tradewind worker`" in page.text
    assert "None: every message could be read." in page.text
    assert "Looking only" in page.text


def test_every_answer_forbids_scripts_from_elsewhere_and_inline(app: FastAPI) -> None:
    for path in ("/", "/sign-in", "/api/overview", "/static/style.css", "/nowhere"):
        policy = get(app, path).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
    page = get(app, "/").text
    assert re.findall(r"<script(?![^>]*src=)", page) == []
    assert re.findall(r"\son\w+=", page) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []


def test_what_users_and_items_are_called_is_escaped(service: Service, app: FastAPI) -> None:
    rng = np.random.default_rng(0)
    decision, sent = slates(rng, [evidence_of(rng, 1)])[0]
    from msgspec.structs import replace

    hostile = replace(decision, entity=HOSTILE, chosen=[HOSTILE], candidates=[HOSTILE], slot_propensities=[1.0])
    hostile.features["phi"] = decision.features["phi"][:1]
    tell_slate(service.model, (hostile, replace(sent, user_id=HOSTILE)))
    letter = DeadLetter(topic=HOSTILE, partition=0, offset=0, reason="not-json", detail=HOSTILE, value=None, at=AT)
    tell(service.model, DEAD_LETTERS, letter)
    page = get(app, "/", params={"domain": "recommendation", "entity": HOSTILE})
    assert "<script>alert" not in page.text
    assert page.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    update = Look(running=service, domain="recommendation", entity=HOSTILE).update()
    assert "<script>alert" not in repr(update)


def test_everything_a_template_names_comes_from_here(app: FastAPI) -> None:
    page = get(app, "/").text
    for name in re.findall(r'(?:src|href)="(static/[^"]+)"', page):
        found = get(app, f"/{name}")
        assert found.status_code == 200, name
        assert "immutable" in found.headers["cache-control"]
    assert len(get(app, "/static/plotly.min.js").content) > 1_000_000
    for name in ("../app.py", "..%2fapp.py", "app.py"):
        assert get(app, f"/static/{name}").status_code == 404


def test_an_update_brings_what_changed_and_no_more(service: Service) -> None:
    look = Look(running=service, domain=None, entity=None)
    first = look.update()
    assert set(first["html"]) == {f"at-{name}" for name in FRAGMENTS}
    fill(service)
    second = look.update()
    assert {"at-why", "at-why_head", "at-tiles"} <= set(second["html"])
    assert {"chart-terms", "chart-beliefs"} <= set(second["charts"])
    assert "at-letters" not in second["html"]
    assert (look.domain, look.entity) == ("recommendation", "u0")  # from now on it stays


def test_why_is_told_as_json_with_exact_sums(service: Service, app: FastAPI) -> None:
    fill(service)
    tell(service.model, CATALOG, CatalogItem(item_id="i1", category="DAIRY"))
    found = get(app, "/api/why/recommendation", params={"entity": "u0"}).json()
    for slot in found["slots"]:
        summed = 0.0
        for term in slot["terms"]:
            summed += term["amount"]
        assert summed == slot["score"] == slot["sent"]
        assert slot["exact"] is True
    assert get(app, "/api/why/recommendation", params={"entity": "nobody"}).status_code == 404
    assert get(app, "/api/why/nothing", params={"entity": "u0"}).status_code == 422


def test_the_api_is_described(app: FastAPI) -> None:
    document = get(app, "/api/openapi.json").json()
    wanted = {"/api/overview", "/api/why/{domain}", "/api/policies/promote", "/api/forget", "/api/dead-letters"}
    assert wanted <= set(document["paths"])
    assert all(not path.startswith("/static") for path in document["paths"])
    assert get(app, "/docs").status_code == 404  # that page would load scripts from elsewhere


def test_a_name_that_another_site_has_point_here_is_not_ours(app: FastAPI) -> None:
    assert get(app, "/", host="evil.example").status_code == 400
    assert get(app, "/", host="localhost").status_code == 200


def test_without_a_token_nothing_can_be_changed(app: FastAPI) -> None:
    async def asked(client: httpx.AsyncClient) -> list[int]:
        body = {"reason": "x", "number": 1, "user_id": "u"}
        paths = ("/api/policies/promote", "/api/policies/rollback", "/api/forget")
        return [(await client.post(path, json=body, headers={"X-Tradewind": "page"})).status_code for path in paths]

    assert ask(app, asked) == [403, 403, 403]


def test_beyond_loopback_looking_needs_the_token() -> None:
    service = running("0.0.0.0", TOKEN)  # noqa: S104 # what is tested
    app = dashboard.build(service, follow=False)
    for path in ("/api/overview", "/api/why/recommendation?entity=u", "/live"):
        assert get(app, path, host="shop.example").status_code == 401
    assert get(app, "/", host="shop.example").headers["location"] == "sign-in"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert get(app, "/api/overview", host="shop.example", headers=bearer).status_code == 200
    assert get(app, "/api/health", host="shop.example").status_code == 200


def test_a_session_changes_things_only_from_our_own_page() -> None:
    service = running(token=TOKEN)
    app = dashboard.build(service, follow=False)

    async def asked(client: httpx.AsyncClient) -> None:
        assert (await client.post("/api/session", json={"token": "wrong"})).status_code == 401
        signed = await client.post("/api/session", json={"token": TOKEN})
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert 'data-open="promote"' in (await client.get("/")).text
        body = {"reason": "x"}
        assert (await client.post("/api/policies/rollback", json=body)).status_code == 403
        form = await client.post("/api/policies/rollback", data=body, headers={"X-Tradewind": "page"})
        assert form.status_code == 422
        await client.delete("/api/session")
        assert (
            await client.post("/api/policies/rollback", json=body, headers={"X-Tradewind": "page"})
        ).status_code == 401

    ask(app, asked)


def test_a_broker_that_is_away_is_said_to_be_away_in_words() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    service = dashboard.service(load(bootstrap_servers=address), host="127.0.0.1", token=None, every_s=0.0)
    app = dashboard.build(service)

    async def asked() -> str:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            for _ in range(100):
                if service.following.state == "away":
                    break
                await asyncio.sleep(0.05)
            return (await client.get("/")).text

    page = asyncio.run(asked())
    assert f"no Kafka broker answers at {address}; trying again" in page


def test_the_package_carries_templates_and_static_files() -> None:
    folder = Path(dashboard.__file__).parent
    assert {path.name for path in (folder / "static").iterdir()} >= {"style.css", "live.js", "theme.js", "icon.svg"}
    assert {f"_{name}.html" for name in FRAGMENTS} <= {path.name for path in (folder / "templates").iterdir()}


def test_outcomes_show_how_many_slates_led_to_something(service: Service, app: FastAPI) -> None:
    from streams.topics import OUTCOMES

    tell(service.model, OUTCOMES, outcome("a", "u", 1.0), outcome("b", "u", 0.0))
    assert "50.0% of 2 slates led to a click" in get(app, "/").text
