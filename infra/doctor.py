"""What is wrong with a set-up: each check by itself, with what to do about it."""

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiokafka.errors import KafkaError

from infra import provision
from infra.cluster.clients import producer
from infra.errors import UserError
from infra.mapping.intake import wired
from infra.settings import Settings, load

_OLDEST_PYTHON: Final = (3, 11)
_DISK_FREE: Final = 1_000_000_000  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was found, and what to do where it isn't well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def examine(**overrides: Any) -> Iterator[Finding]:
    """The findings one by one; a check that needs another to be well is left out when that is not."""
    yield _python()
    yield _disk()
    try:
        settings = load(**overrides)
    except UserError as error:
        yield Finding(check="settings", ok=False, found=str(error), advice="correct the setting named")
        return
    yield Finding(check="settings", ok=True, found=f"brokers {settings.bootstrap_servers}, id {settings.identity!r}")
    broker = _guarded("broker", lambda: _broker(settings))
    yield broker
    if broker.ok:
        yield _guarded("topics", lambda: _topics(settings))
        yield _guarded("transactions", lambda: _transactions(settings))


def _python() -> Finding:
    return Finding(
        check="python",
        ok=sys.version_info >= _OLDEST_PYTHON,
        found=sys.version.split()[0],
        advice="use Python 3.11 or newer",
    )


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding(
        check="disk",
        ok=free > _DISK_FREE,
        found=f"{free / 1e9:.1f} GB free here",
        advice="free 1 GB: the broker's log and the libraries need it",
    )


def _broker(settings: Settings) -> Finding:
    with provision.admin(settings) as client:
        nodes = client.describe_cluster()["brokers"]
        version = client.get_broker_version_data(nodes[0]["broker_id"]).broker_version_str
    return Finding(
        check="broker", ok=True, found=f"{len(nodes)} node(s) at {settings.bootstrap_servers}, Kafka {version} or newer"
    )


def _topics(settings: Settings) -> Finding:
    wrong = provision.check(settings, wired(settings))
    return Finding(
        check="topics",
        ok=not wrong,
        found="; ".join(wrong) or "all there, and as they must be",
        advice="`tradewind topics create` makes the missing ones",
    )


def _transactions(settings: Settings) -> Finding:
    began = time.monotonic()
    asyncio.run(_try_transaction(settings))
    return Finding(
        check="transactions", ok=True, found=f"begun and aborted in {(time.monotonic() - began) * 1000:.0f} ms"
    )


async def _try_transaction(settings: Settings) -> None:
    scratch = producer(
        settings, transactional_id=f"{settings.identity}-doctor-{uuid4().hex}", transaction_timeout_ms=5_000
    )
    try:
        async with asyncio.timeout(settings.start_timeout_s):
            await scratch.start()
            await scratch.begin_transaction()
            await scratch.abort_transaction()
    finally:
        await scratch.stop()


def _guarded(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except UserError as error:
        return Finding(check=check, ok=False, found=str(error))
    except (KafkaError, TimeoutError, OSError) as error:
        return Finding(
            check=check,
            ok=False,
            found=f"{type(error).__name__}: {error}",
            advice="look at the broker's own log and at the rights of the user",
        )
