"""Ways to get round who may: other names for this machine, other sites, large bodies, odd tokens, odd headers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from infra.dashboard import app as dashboard
from infra.dashboard.access import MARK
from infra.dashboard.guard import LARGEST
from infra.settings import load

TOKEN = "correct-horse-battery"  # noqa: S105 # of nothing
ACTS = ("/api/policies/promote", "/api/policies/rollback", "/api/forget")
BODY = {"reason": "x", "number": 1, "user_id": "u"}
Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


def made(host: str = "127.0.0.1", token: str | None = TOKEN) -> FastAPI:
    settings = load(bootstrap_servers="127.0.0.1:9", start_timeout_s=0.1)
    return dashboard.build(dashboard.service(settings, host=host, token=token), follow=False)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Of those tests that try no tokens out: wrong ones are counted."""
    return made()


def ask(app: FastAPI, asked: Ask, base: str = "http://127.0.0.1:8360") -> Any:
    async def talk() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base) as client:
            return await asked(client)

    return asyncio.run(talk())


def status(app: FastAPI, method: str, path: str, **options: Any) -> int:
    async def asked(client: httpx.AsyncClient) -> int:
        return (await client.request(method, path, **options)).status_code

    return ask(app, asked)


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1:8360", 200),
        ("localhost", 200),
        ("[::1]:8360", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example:8360", 400),
        ("evil.example:127.0.0.1", 400),
        ("127.0.0.1@evil.example", 400),
        ("[::1].evil.example", 200),  # no browser makes a name of that: brackets end an address
        ("[evil.example]", 400),
        ("0x7f000001", 400),
        ("2130706433", 400),
        ("192.168.0.7", 400),
        ("", 400),
    ],
)
def test_only_names_of_this_machine_are_answered_to(app: FastAPI, host: str, wanted: int) -> None:
    assert status(app, "GET", "/api/health", headers={"Host": host}) == wanted
    assert status(app, "HEAD", "/", headers={"Host": host}) == (wanted if wanted == 400 else 405)


@pytest.mark.parametrize("path", ACTS)
def test_a_change_that_another_site_sends_is_refused_whatever_else_it_brings(path: str) -> None:
    app = made()

    async def asked(client: httpx.AsyncClient) -> list[int]:
        await client.post("/api/session", json={"token": TOKEN})
        plain = {"Content-Type": "text/plain"}  # what a form can send without being asked
        return [
            (await client.post(path, json=BODY)).status_code,
            (await client.post(path, content=b'{"reason": "x"}', headers=plain)).status_code,
            (await client.post(path, data=BODY)).status_code,
            (await client.post(path, json=BODY, headers={MARK: ""})).status_code,
            (await client.post(path, json=BODY, headers={MARK: "page", "Sec-Fetch-Site": "cross-site"})).status_code,
            (await client.post(path, json=BODY, headers={MARK: "page", "Sec-Fetch-Site": "same-site"})).status_code,
            (await client.get(path, headers={MARK: "page"})).status_code,
        ]

    answers = ask(app, asked)
    assert answers[:1] + answers[3:] == [403, 403, 403, 403, 405]
    assert set(answers[1:3]) <= {403, 422}
    # The same, from our own page, gets as far as the broker that isn't there.

    async def own(client: httpx.AsyncClient) -> int:
        await client.post("/api/session", json={"token": TOKEN})
        return (await client.post(path, json=BODY, headers={MARK: "p", "Sec-Fetch-Site": "same-origin"})).status_code

    assert ask(app, own) == 409


def test_another_origin_is_never_told_that_it_may() -> None:
    async def asked(client: httpx.AsyncClient) -> httpx.Response:
        asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        return await client.options("/api/forget", headers=asking)

    answer = ask(made(), asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer correct-horse-batter",
        "Bearer correct-horse-battery ",
        "Bearer Correct-Horse-Battery",
        "Basic correct-horse-battery",
        "correct-horse-battery",
        "Bearer b\u00fc",
    ],
)
def test_only_the_token_itself_is_the_token(given: str) -> None:
    headers = [(b"authorization", given.encode("latin-1"))]
    assert status(made(), "POST", "/api/policies/rollback", json={"reason": "x"}, headers=headers) == 401
    if given:
        assert status(made("0.0.0.0"), "GET", "/api/overview", headers=headers) == 401  # noqa: S104 # what is tested


@pytest.mark.parametrize("cookie", ["", "x", TOKEN, "a" * 4_000])
def test_no_cookie_but_that_of_a_session_opens(cookie: str) -> None:
    headers = {MARK: "page", "Cookie": f"tradewind_session={cookie}"}
    assert status(made(), "POST", "/api/forget", json=BODY, headers=headers) == 401


@pytest.mark.parametrize("token", ['"\\ud800"', '"\\u0000"', "null", "{}", "[1]", "1e999", '"' + "x" * 1_001 + '"'])
def test_an_odd_token_is_refused_in_words(token: str) -> None:
    content = f'{{"token": {token}}}'.encode()

    async def asked(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/api/session", content=content, headers={"Content-Type": "application/json"})

    answer = ask(made(), asked)
    assert answer.status_code in {401, 422}
    assert "xxx" not in answer.text


def test_a_large_body_is_not_read_to_its_end_even_of_one_who_may() -> None:
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        for _ in range(1_000):
            read += 4_096
            yield b" " * 4_096

    for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
        for path in (*ACTS, "/api/session"):
            assert status(made(), "POST", path, content=endless(), headers=headers) == 413
    assert read <= 8 * (LARGEST + 2 * 4_096)
    deep = b"[" * (LARGEST - 10)
    json = {"Content-Type": "application/json"}
    assert status(made(), "POST", "/api/session", content=deep, headers=json) in {400, 422}


@pytest.mark.parametrize("entity", ["a\r\nSet-Cookie: x=1", "a%0d%0aSet-Cookie:%20x=1", "<svg onload=alert(1)>"])
def test_nothing_that_is_asked_for_ends_up_in_a_header(entity: str) -> None:
    async def asked(client: httpx.AsyncClient) -> list[httpx.Response]:
        given = {"domain": "recommendation", "entity": entity}
        return [await client.get(path, params=given) for path in ("/", "/api/why/recommendation", "/sign-in")]

    for answer in ask(made(), asked):
        assert "set-cookie" not in answer.headers
        assert "<svg onload" not in answer.text or answer.headers["content-type"] == "application/json"


def test_tokens_are_compared_in_constant_time() -> None:
    import inspect

    from infra.dashboard.access import Access

    source = inspect.getsource(Access)
    assert "hmac.compare_digest" in source
    assert "== self.token" not in source
