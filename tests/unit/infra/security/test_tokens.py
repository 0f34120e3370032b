"""Bearer tokens: where they come from, how long they are kept, and what is said when there is none."""

import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import orjson
import pytest
from pydantic import SecretStr

from infra.cluster.tokens import Source, Tokens, expiry, source_of
from infra.errors import UserError
from infra.settings import load

SECRET = "s/e cret"  # noqa: S105 # of nothing


@dataclass
class Endpoint:
    """An OAuth 2 endpoint that counts, and answers as it is told."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[tuple[str | None, dict[str, list[str]]]] = field(
        default_factory=list[tuple[str | None, dict[str, list[str]]]]
    )
    url: str = ""

    def source(self, scope: str | None = None) -> Source:
        return Source(url=self.url, client_id="shop", client_secret=SecretStr(SECRET), scope=scope)


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    told = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append((self.headers["Authorization"], parse_qs(form)))
            self.send_response(told.status)
            for name, value in {**told.headers, "Content-Length": str(len(told.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as in the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/token"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def answer(token: str, expires_in: float | None = None) -> bytes:
    return orjson.dumps({"access_token": token, "expires_in": expires_in, "token_type": "bearer"})


def jwt(exp: float) -> str:
    part = urlsafe_b64encode(orjson.dumps({"exp": exp})).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


def test_a_token_is_asked_for_by_the_clients_own_credentials(endpoint: Endpoint) -> None:
    endpoint.body = answer("t1", 100)
    assert Tokens(endpoint.source("kafka")).token() == "t1"
    pair = b64encode(b"shop:s%2Fe+cret").decode()
    assert endpoint.asked == [(f"Basic {pair}", {"grant_type": ["client_credentials"], "scope": ["kafka"]})]


def test_it_is_kept_and_renewed_before_it_expires(endpoint: Endpoint) -> None:
    now = 1_000.0
    tokens = Tokens(endpoint.source(), lambda: now)
    endpoint.body = answer("t1", 100)
    assert [tokens.token(), tokens.token()] == ["t1", "t1"]
    endpoint.body = answer("t2", 100)
    now = 1_079.0
    assert tokens.token() == "t1"
    now = 1_081.0
    assert tokens.token() == "t2"
    assert len(endpoint.asked) == 2


def test_an_endpoint_that_is_away_is_waited_for_as_long_as_the_token_lives(endpoint: Endpoint) -> None:
    now = 1_000.0
    tokens = Tokens(endpoint.source(), lambda: now)
    endpoint.body = answer("t1", 100)
    tokens.token()
    endpoint.status, now = 503, 1_099.0
    assert tokens.token() == "t1"
    now = 1_101.0
    with pytest.raises(UserError, match="HTTP 503"):
        tokens.token()


def test_what_a_token_says_itself_counts_where_it_is_sooner(endpoint: Endpoint) -> None:
    now = 1_000.0
    tokens = Tokens(endpoint.source(), lambda: now)
    endpoint.body = answer(jwt(1_010.0), 100)
    tokens.token()
    now = 1_009.0
    tokens.token()
    assert len(endpoint.asked) == 2
    assert expiry("a.b.c") is None


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (401, b"no", {}, "HTTP 401"),
        (200, b"<html>", {}, "something else than a token"),
        (200, b"{}", {}, "something else than a token"),
        (200, b'{"access_token": "a\\u0001auth=b"}', {}, "no bearer token"),
        (200, b" " * 1_000_000 + answer("late"), {}, "something else than a token"),
        (302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}, "HTTP 302"),
    ],
)
def test_whatever_else_it_answers_is_told_without_the_secret(
    endpoint: Endpoint, status: int, body: bytes, headers: dict[str, str], said: str
) -> None:
    endpoint.status, endpoint.body, endpoint.headers = status, body, headers
    with pytest.raises(UserError, match=said) as told:
        Tokens(endpoint.source()).token()
    assert SECRET not in str(told.value)
    assert len(endpoint.asked) == 1


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    tokens = Tokens(Source(file=file))
    with pytest.raises(UserError, match="can't be read"):
        tokens.token()
    file.write_text("t1\n")
    assert tokens.token() == "t1"
    file.write_text("t2")
    assert tokens.token() == "t2"
    for content, said in (
        ("", "no bearer token"),
        ("t\x01auth=x", "no bearer token"),
        ("t" * 70_000, "over 65536 bytes"),
    ):
        file.write_text(content)
        with pytest.raises(UserError, match=said):
            tokens.token()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set exactly one of TRADEWIND_OAUTH_TOKEN, "),
        ({"oauth_token": "t", "oauth_token_file": "f"}, "set exactly one of"),
        ({"oauth_token_url": "https://idp/token"}, "set TRADEWIND_OAUTH_CLIENT_ID"),
        (
            {"oauth_token_url": "http://idp/token", "oauth_client_id": "c", "oauth_client_secret": SECRET},
            "in the clear: use https",
        ),
    ],
)
def test_half_a_setting_is_told(given: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as told:
        source_of(load(**given))
    assert SECRET not in str(told.value)
