"""What every test may ask for: the real broker, and a topic prefix of its own."""

import gc
import os
from collections.abc import Generator
from uuid import uuid4

import pytest

from infra.broker import server

gc.disable()  # while tests are collected: the collector walks every module again and again, and finds nothing


def pytest_collection_finish() -> None:
    """Now it looks again, but not at what was imported."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the broker by what it asks for, so that no test can forget to say so."""
    for item in items:
        if isinstance(item, pytest.Function) and "broker" in item.fixturenames:
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A real broker's bootstrap address, started once for the whole session. It never skips: it starts or fails."""
    with server.running(tmp_path_factory.mktemp("broker")) as started:
        yield started.address


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:12]}."


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own settings out of the tests. TRADEWIND_CACHE only says where downloads lie."""
    for name in [name for name in os.environ if name.startswith("TRADEWIND_") and name != "TRADEWIND_CACHE"]:
        monkeypatch.delenv(name)
