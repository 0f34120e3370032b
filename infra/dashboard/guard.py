"""What is refused before the app sees it: other hosts' names, other sites' changes, and bodies that are too large."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.dashboard.access import is_loopback

LARGEST: Final = 16 * 1024  # bytes of a body; the longest one that means anything has a reason of 500 characters
_READING: Final = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """With `here_only`, the page is bound to this machine: a name that another site has point here is not ours."""

    def __init__(self, app: ASGIApp, *, here_only: bool) -> None:
        self._app = app
        self._here_only = here_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._here_only and not is_loopback(host_of(headers.get("host", ""))):
            await _refuse(400, "this page answers to the names of its own machine only", scope, receive, send)
        elif scope["method"] in _READING:
            await self._app(scope, receive, send)
        elif headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            await _refuse(403, "this request comes from another site", scope, receive, send)
        else:
            await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request whose body is small: the app reads it whole before it asks who sent it."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # whoever sent it has gone
            body += message.get("body", b"")
            more = bool(message.get("more_body", False))
            if len(body) > LARGEST:
                await _refuse(413, f"the body has over {LARGEST} bytes", scope, receive, send)
                return
        given: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, again, send)


def host_of(header: str) -> str:
    """The host of a Host header, without its port.

    >>> host_of("localhost:8360"), host_of("[::1]:8360"), host_of("evil.example")
    ('localhost', '::1', 'evil.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


async def _refuse(status: int, told: str, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"detail": told}, status_code=status)(scope, receive, send)
