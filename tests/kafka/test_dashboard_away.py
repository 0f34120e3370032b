"""The dashboard while the broker is away: the page says so and keeps what it has; then it reads on where it was."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.wiring import FLOWS
from infra import provision
from infra.broker import server
from infra.broker.home import Home
from infra.settings import load
from streams.records import StockUpdate
from streams.times import EventTime
from streams.topics import STOCK_UPDATES
from tests.kafka.harness import AT, LONG_S, Setting, placed
from tests.kafka.test_dashboard import DASHBOARD, until
from tests.kafka.test_policies import tell


@pytest.fixture
def home(tmp_path: Path) -> Generator[Home]:
    """Where a broker lives that is the test's own, to be stopped and started."""
    found = Home(tmp_path / "broker")
    yield found
    server.down(found)


def count(setting: Setting, number: int) -> None:
    update = StockUpdate(
        event_id=f"s{number}",
        item_id="milk",
        location="north",
        on_hand=float(number),
        occurred_at=EventTime(AT + number),
    )
    tell(setting, STOCK_UPDATES, update)


def test_the_page_says_that_the_broker_is_away_and_goes_on_when_it_is_back(home: Home, tmp_path: Path) -> None:
    broker = server.up(home, server.free_port())
    topics = load(bootstrap_servers=broker.address, partitions=2)
    provision.ensure(topics, list(FLOWS.values()))
    with placed(broker.address, "", tmp_path) as setting:
        address = setting.start("page", program=DASHBOARD).wait_for("ready").split()[-1]
        with httpx.Client(base_url=address, timeout=LONG_S) as client:

            def overview() -> Any:
                return client.get("/api/overview").json()

            count(setting, 1)
            until(overview, lambda seen: _read(seen) == 1 and seen["flow"]["reading"] == "live")
            server.down(home)
            seen = until(overview, lambda seen: seen["flow"]["reading"] == "away")
            assert seen["line"] == "The brokers don't answer"
            assert broker.address in seen["notices"][0]["text"]
            assert seen["stock"]["skus"][0]["on_hand"] == 1.0  # what it has stays
            assert "The brokers don&#39;t answer" in client.get("/").text
            assert client.get("/api/health").json()["reading"] == "away"
            server.up(home, broker.port)
            count(setting, 2)
            seen = until(overview, lambda seen: seen["flow"]["reading"] == "live" and _read(seen) > 1)
            assert (_read(seen), seen["stock"]["skus"][0]["on_hand"]) == (2, 2.0)  # nothing is read twice
            assert (seen["flow"]["duplicates"], seen["flow"]["told"]) == (0, "")


def _read(seen: Any) -> int:
    """Stock updates that the page has taken in."""
    return sum(one["total"] for one in seen["flow"]["topics"] if one["topic"] == "stock-updates")
