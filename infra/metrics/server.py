"""The port that a process is asked on: /metrics, /livez, /readyz. It answers from the loop that does the work."""

import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from aiohttp import web

from infra.errors import UserError
from infra.metrics.inside import Inside
from infra.settings import Settings

PATHS: Final = ("/metrics", "/livez", "/readyz")
_CLOSE_S: Final = 1.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def answering(settings: Settings, inside: Inside) -> AsyncGenerator[None]:
    """Answer while the block runs. Raises UserError where the port isn't free."""
    runner = web.AppRunner(_app(inside), access_log=None, shutdown_timeout=_CLOSE_S)
    await runner.setup()
    address, port = settings.metrics_address, settings.metrics_port
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        await runner.cleanup()
        raise _not_free(settings, error) from error
    log.info("metrics at http://%s:%d/metrics", *runner.addresses[0][:2])
    try:
        yield
    finally:
        await runner.cleanup()


def check_installed() -> None:
    """Load what answering takes. Raises UserError."""
    try:
        import_module("infra.metrics.collector")
    except ImportError as error:
        raise UserError(
            "TRADEWIND_METRICS_PORT is set, and the Prometheus client isn't installed: "
            "pip install 'tradewind[metrics]', or unset it"
        ) from error


def check_free(settings: Settings) -> None:
    """Raise UserError where the port can't be listened at: before anything is started that would have to be ended."""
    address = settings.metrics_address
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, settings.metrics_port or 0), family=family).close()
    except OSError as error:
        raise _not_free(settings, error) from error


def _not_free(settings: Settings, error: OSError) -> UserError:
    return UserError(
        f"TRADEWIND_METRICS_PORT: can't listen at {settings.metrics_address}:{settings.metrics_port} "
        f"({error.strerror or error}); set another port, or TRADEWIND_METRICS_ADDRESS to an address of this machine"
    )


def _app(inside: Inside) -> web.Application:
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
    from prometheus_client.exposition import choose_encoder

    from infra.metrics.collector import InsideCollector

    registry = CollectorRegistry()
    for collector in (ProcessCollector(registry=None), PlatformCollector(registry=None), InsideCollector(inside)):
        registry.register(collector)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def live(_: web.Request) -> web.Response:
        return _said(inside.health.dead())

    async def ready(_: web.Request) -> web.Response:
        return _said(inside.health.unready())

    app = web.Application()
    app.add_routes([web.get(path, handle) for path, handle in zip(PATHS, (metrics, live, ready), strict=True)])
    return app


def _said(problems: list[str]) -> web.Response:
    return web.Response(status=503, text="\n".join(problems) + "\n") if problems else web.Response(text="ok\n")
