"""The port answers where it is asked for, and says in one sentence what keeps it from doing so."""

import asyncio
import socket
import sys

import aiohttp
import pytest

from infra.errors import UserError
from infra.metrics.server import answering
from infra.metrics.telling import watching
from infra.settings import load
from tests.unit.infra.metrics.test_table import Work, inside


def asked(work: Work, port: int) -> dict[str, tuple[int, str]]:
    async def run() -> dict[str, tuple[int, str]]:
        found: dict[str, tuple[int, str]] = {}
        async with answering(load(metrics_port=port), inside(work)), aiohttp.ClientSession() as session:
            for path in ("/metrics", "/livez", "/readyz", "/other"):
                async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                    found[path] = answer.status, await answer.text()
        return found

    return asyncio.run(run())


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_it_answers_each_path() -> None:
    found = asked(Work(), free_port())
    assert {path: status for path, (status, _) in found.items()} == {
        "/metrics": 200,
        "/livez": 200,
        "/readyz": 200,
        "/other": 404,
    }
    assert 'tradewind_records_total{agent="learner",topic="experiences"} 11.0' in found["/metrics"][1]
    assert "process_cpu_seconds_total" in found["/metrics"][1]


def test_unready_is_503_with_the_reasons() -> None:
    assert asked(Work(begun=False), free_port())["/readyz"] == (503, "1 of 1 partitions have no state yet\n")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"TRADEWIND_METRICS_PORT: can't listen at 127\.0\.0\.1:{port}"):
            asked(Work(), port)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prometheus_client", "prometheus_client.core"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "infra.metrics.collector", raising=False)
    with pytest.raises(UserError, match=r"pip install 'tradewind\[metrics\]'"):
        watching(load(metrics_port=0))
