"""Bearer tokens for brokers that ask for OAUTHBEARER: from a setting, a file, or an endpoint that gives them out.

A token from an endpoint is kept and shared by all connections, and renewed before it expires. No token is ever logged.
"""

import asyncio
import http.client
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
from aiokafka.abc import AbstractTokenProvider as AiokafkaProvider
from kafka.net.sasl.oauth import AbstractTokenProvider as KafkaPythonProvider
from pydantic import SecretStr

from infra.errors import UserError
from infra.settings import Settings

LARGEST: Final = 64 * 1024  # bytes of an answer, or of a file
_RENEWED_AT: Final = 0.8  # of a token's life: what remains is for an endpoint that is away
_ANSWER_S: Final = 10.0

Clock = Callable[[], float]  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where tokens come from: one of the three, as the settings say."""

    token: SecretStr | None = None
    file: Path | None = None
    url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None


class _Answer(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: Annotated[float, msgspec.Meta(gt=0, lt=1e9)] | None = None


class _Claims(msgspec.Struct):
    exp: float | None = None


class Tokens:
    """The token to log in with now. Safe to ask from several threads. `clock` is handed in."""

    def __init__(self, source: Source, clock: Clock = time.time) -> None:
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = ""
        self._renew_at = self._ends_at = 0.0

    def token(self) -> str:
        """A token that hasn't expired. Raises UserError where there is none to be had. May wait for an endpoint."""
        if self._source.token is not None:
            return _sound(self._source.token.get_secret_value(), "TRADEWIND_OAUTH_TOKEN")
        if self._source.file is not None:
            return _sound(_content(self._source.file), f"TRADEWIND_OAUTH_TOKEN_FILE: {self._source.file}")
        with self._lock:
            if self._clock() >= self._renew_at:
                self._renew()
            return self._kept

    def _renew(self) -> None:
        asked_at = self._clock()
        try:
            answer = _asked(self._source)
        except UserError:
            if asked_at < self._ends_at:
                return  # the one that is kept still serves: the endpoint is asked again the next time
            raise
        self._kept = _sound(answer.access_token, "TRADEWIND_OAUTH_TOKEN_URL: the token")
        claimed = expiry(self._kept)
        ends = [asked_at + answer.expires_in] if answer.expires_in is not None else []
        ends += [claimed] if claimed is not None else []
        self._ends_at = min(ends, default=asked_at)  # one that doesn't say how long it lives is asked for each time
        self._renew_at = asked_at + _RENEWED_AT * (self._ends_at - asked_at)


def source_of(settings: Settings) -> Source:
    """Where the settings have tokens come from. Raises UserError unless it is exactly one place."""
    named = {
        "TRADEWIND_OAUTH_TOKEN": settings.oauth_token,
        "TRADEWIND_OAUTH_TOKEN_FILE": settings.oauth_token_file,
        "TRADEWIND_OAUTH_TOKEN_URL": settings.oauth_token_url,
    }
    if sum(value is not None for value in named.values()) != 1:
        raise UserError(f"TRADEWIND_SASL_MECHANISM is OAUTHBEARER: set exactly one of {', '.join(named)}")
    url = settings.oauth_token_url
    if url is not None:
        if settings.oauth_client_id is None or settings.oauth_client_secret is None:
            raise UserError(
                "TRADEWIND_OAUTH_TOKEN_URL is set: set TRADEWIND_OAUTH_CLIENT_ID and TRADEWIND_OAUTH_CLIENT_SECRET too"
            )
        if urlsplit(url).scheme != "https" and not _is_here(urlsplit(url).hostname or ""):
            raise UserError("TRADEWIND_OAUTH_TOKEN_URL would send the client's secret in the clear: use https")
    return Source(
        token=settings.oauth_token,
        file=settings.oauth_token_file,
        url=url,
        client_id=settings.oauth_client_id,
        client_secret=settings.oauth_client_secret,
        scope=settings.oauth_scope,
    )


@cache
def tokens(source: Source) -> Tokens:
    """The tokens of a source: the same for all clients of a process, so that an endpoint is asked once."""
    return Tokens(source)


class ForAiokafka(AiokafkaProvider):
    """What aiokafka asks for a token when it connects."""

    def __init__(self, given: Tokens) -> None:
        self._tokens = given

    async def token(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride] # there it says nothing
        return await asyncio.to_thread(self._tokens.token)


class ForKafkaPython(KafkaPythonProvider):
    """The same of kafka-python."""

    def __init__(self, given: Tokens) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] # takes anything
        self._tokens = given

    def token(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride] # there it says nothing
        return self._tokens.token()


def expiry(token: str) -> float | None:
    """When a JSON Web Token says that it ends, in seconds since the epoch; None where it is none, or doesn't say.

    >>> expiry("e30.eyJleHAiOiAxNzAwMDAwMDAwfQ.sig"), expiry("opaque")
    (1700000000.0, None)
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        raw = urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(raw, type=_Claims).exp
    except ValueError:
        return None


def _sound(token: str, named: str) -> str:
    """The token, without blanks around it. It goes into a line of the protocol: nothing may end that line early."""
    stripped = token.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise UserError(f"{named} is no bearer token: it is empty, or has characters that none can have")
    return stripped


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f"TRADEWIND_OAUTH_TOKEN_FILE: {path} can't be read: {error.strerror or error}") from error
    if len(raw) > LARGEST:
        raise UserError(f"TRADEWIND_OAUTH_TOKEN_FILE: {path} has over {LARGEST} bytes: that is no token")
    return raw.decode("ascii", errors="replace")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Elsewhere the secret isn't carried to."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:  # noqa: ARG002 # urllib's signature
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirect)


def _asked(source: Source) -> _Answer:
    """A new token from the endpoint, by the client's own credentials (RFC 6749, 4.4). Raises UserError."""
    secret = source.client_secret.get_secret_value() if source.client_secret is not None else ""
    pair = f"{quote_plus(source.client_id or '')}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
    form = {"grant_type": "client_credentials", **({"scope": source.scope} if source.scope else {})}
    request = urllib.request.Request(  # noqa: S310 # http or https, by the setting's pattern
        source.url or "",
        data=urlencode(form).encode(),
        headers={"Authorization": f"Basic {b64encode(pair.encode()).decode()}", "Accept": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=_ANSWER_S) as answer:
            return msgspec.json.decode(answer.read(LARGEST), type=_Answer)
    except urllib.error.HTTPError as error:
        error.close()
        raise UserError(
            f"TRADEWIND_OAUTH_TOKEN_URL: {source.url} gives no token (HTTP {error.code}): look at "
            "TRADEWIND_OAUTH_CLIENT_ID, TRADEWIND_OAUTH_CLIENT_SECRET and TRADEWIND_OAUTH_SCOPE"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"TRADEWIND_OAUTH_TOKEN_URL: {source.url} doesn't answer ({type(error).__name__})") from None
    except ValueError:
        raise UserError(f"TRADEWIND_OAUTH_TOKEN_URL: {source.url} answers with something else than a token") from None


def _is_here(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
