"""The dashboard as a process: a socket, a server on it, and where in the topics it begins."""

import logging
import socket
import time
from collections.abc import Callable

import uvicorn

from infra.dashboard import app
from infra.errors import UserError
from infra.history.times import moment
from infra.settings import Settings


def serve(settings: Settings, *, host: str, port: int, start: str, announce: Callable[[str], None]) -> None:
    """Serve until told to stop; `announce` hears the address once it is listened at. Raises UserError."""
    secret = settings.dashboard_token
    token = secret.get_secret_value() if secret is not None else None
    running = app.service(settings, host=host, token=token)
    made = app.build(running, since=since(start, time.time_ns() // 1_000_000))
    listening = _listen(host, port)
    for name in ("aiokafka", "sse_starlette"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is said on the page, in one sentence
    shown = f"[{host}]" if ":" in host else host
    config = uvicorn.Config(
        made,
        log_config=None,  # what it logs goes where all else does, and loses the secrets there
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    announce(f"ready: http://{shown}:{listening.getsockname()[1]}/")
    uvicorn.Server(config).run(sockets=[listening])


def since(start: str, now: int) -> int | None:
    """Where to begin, in epoch ms; None is the beginning. Raises UserError.

    >>> since("beginning", 0) is None, since("last=30m", 1_483_272_000_000)
    (True, 1483270200000)
    """
    return None if start == "beginning" else moment(start, now)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(f"--port {port} can't be listened at on {host}: {error.strerror or error}") from error
    found.setblocking(False)
    return found
