"""The dashboard over HTTP: its pages, its API, who may, and the headers that every answer bears."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware

from infra.dashboard import api, pages
from infra.dashboard.access import Access, Refused, check, is_loopback
from infra.dashboard.guard import Guard
from infra.dashboard.model import Model
from infra.dashboard.reader import Follower, stop
from infra.dashboard.service import EVERY_S, Service
from infra.errors import UserError
from infra.mapping.entrance import entrance_of
from infra.settings import Settings

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_DESCRIPTION: Final = (
    "What the dashboard shows, as JSON. Reading is free on loopback; beyond it, and for every change, send the token "
    "as `Authorization: Bearer …`."
)

Next = Callable[[Request], Awaitable[Response]]


def service(settings: Settings, *, host: str, token: str | None, every_s: float = EVERY_S) -> Service:
    """What one dashboard has, bound to `host`. Raises UserError where that would be open to anyone."""
    check(host, token)
    access = Access(token=token, guarded=not is_loopback(host))
    return Service(settings=settings, access=access, model=Model(entrance=entrance_of(settings)), every_s=every_s)


def build(running: Service, *, since: int | None = None, follow: bool = True) -> FastAPI:
    """The app. With `follow` it reads the topics from `since` (epoch ms; None: their beginning) while it is up."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        if not follow:
            yield
            return
        follower = Follower(running.settings, running.model, running.following, since)
        task = asyncio.create_task(follower.run())
        try:
            yield
        finally:
            await stop(task)

    app = FastAPI(
        title="Tradewind dashboard",
        description=_DESCRIPTION,
        version=version("tradewind"),
        lifespan=lifespan,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.include_router(api.routes(running))
    app.include_router(pages.routes(running))
    app.add_middleware(GZipMiddleware, minimum_size=2_000)
    app.add_middleware(Guard, here_only=not running.access.guarded)
    app.middleware("http")(_with_headers)
    app.exception_handler(Refused)(_refused)
    app.exception_handler(UserError)(_user_error)
    app.exception_handler(RequestValidationError)(_unfit)
    return app


async def _with_headers(request: Request, call_next: Next) -> Response:
    answer = await call_next(request)
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


async def _refused(_: Request, problem: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(problem)}, status_code=problem.status if isinstance(problem, Refused) else 403)


async def _user_error(_: Request, problem: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(problem)}, status_code=409)


async def _unfit(_: Request, problem: Exception) -> JSONResponse:
    """What was wrong and where; not what was sent, which may be a token."""
    found: Any = problem.errors() if isinstance(problem, RequestValidationError) else ()
    told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
    return JSONResponse({"detail": told.encode(errors="replace").decode()}, status_code=422)
