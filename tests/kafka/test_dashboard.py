"""The dashboard beside a real worker: it shows what happened, and changes what serves for who has the token."""

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import KafkaProducer

from agents.versions import record_of
from agents.wiring import FLOWS
from infra import provision
from infra.settings import load
from streams.records import UserEvent
from streams.times import EventTime
from streams.topics import POLICY_VERSIONS, USER_EVENTS
from tests.kafka.harness import AT, LONG_S, Setting, placed
from tests.kafka.test_policies import WORKER, tell, version

TOKEN = "correct-horse-battery"  # noqa: S105 # of nothing
DASHBOARD = ("-c", "from infra.cli import main; main(['dashboard', '--port', '0', '--from', 'beginning'])")


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """What is seen once it is as wanted."""
    give_up, found = time.monotonic() + LONG_S, None
    while time.monotonic() < give_up:
        found = look()
        if good(found):
            return found
        time.sleep(0.2)
    raise AssertionError(f"never seen; the last was {str(found)[:300]}")


def test_the_page_shows_what_a_worker_did_and_changes_what_serves(setting: Setting) -> None:
    topics = load(bootstrap_servers=setting.address, prefix=setting.prefix, partitions=2)
    provision.ensure(topics, list(FLOWS.values()))
    setting.start("worker", program=WORKER).wait_for("ready")
    address = setting.start("page", program=DASHBOARD, dashboard_token=TOKEN).wait_for("ready").split()[-1]
    with httpx.Client(base_url=address, timeout=LONG_S) as client:
        _shows_what_happened(setting, client)
        _changes_what_serves(setting, client)
        _records_a_wish_to_be_forgotten(client)


def _shows_what_happened(setting: Setting, client: httpx.Client) -> None:
    def overview() -> Any:
        return client.get("/api/overview").json()

    until(overview, lambda seen: seen["flow"]["reading"] == "live")
    for number, kind in enumerate(("purchase", "purchase", "request")):
        event = UserEvent(
            event_id=f"e{number}",
            user_id="ann",
            type=kind,
            item_id=f"i{number}" if kind == "purchase" else None,
            occurred_at=EventTime(AT + number),
        )
        tell(setting, USER_EVENTS, event)
    producer: Any = KafkaProducer(bootstrap_servers=setting.address)
    producer.send(setting.prefix + "user-events", key=b"bob", value=b"{not json", partition=0)
    producer.close()
    seen = until(overview, lambda seen: seen["letters"]["total"] == 1 and seen["flow"]["wait"] is not None)
    assert seen["letters"]["by_reason"] == [{"topic": "user-events", "reason": "not-json", "count": 1}]
    topics = {one["topic"]: one["total"] for one in seen["flow"]["topics"]}
    assert (topics["user-events"], topics["recommendations"]) == (4, topics["decisions"])
    assert topics["recommendations"] >= 1
    assert 0 < seen["flow"]["wait"]["p50"] < LONG_S * 1000
    behind = until(overview, lambda seen: _waiting(seen) == 0)
    assert behind["flow"]["unreadable"] == 1
    why = client.get("/api/why/recommendation", params={"entity": "ann"}).json()
    assert why["policy_version"] == 0
    assert all(slot["exact"] for slot in why["slots"])
    page = client.get("/", params={"domain": "recommendation", "entity": "ann"}).text
    assert "User ann" in page
    assert "not-json" in page


def _waiting(seen: Any) -> int | None:
    """Records of user-events that the worker of these tests, in a group of its own agents, hasn't applied."""
    found = [one["records"] for one in seen["flow"]["behind"] if one["topic"] == "user-events"]
    return found[0] if found else None


def _changes_what_serves(setting: Setting, client: httpx.Client) -> None:
    tell(setting, POLICY_VERSIONS, record_of(version(1), "publish", by="learner"))
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    def policies() -> Any:
        return client.get("/api/policies").json()

    until(policies, lambda seen: seen["serving"] == 1)
    assert client.post("/api/policies/rollback", json={"reason": "clicks fell"}).status_code == 401
    told = client.post("/api/policies/rollback", json={"reason": "clicks fell"}, headers=bearer)
    assert "Version 0 serves; it is held" in told.json()["told"]
    seen = until(policies, lambda seen: seen["serving"] == 0)
    assert (seen["held"], seen["acts"][0]["act"], seen["acts"][0]["reason"]) == (True, "rollback", "clicks fell")
    told = client.post("/api/policies/promote", json={"number": 1, "reason": "false alarm"}, headers=bearer)
    assert "Version 1 serves." in told.json()["told"]
    assert until(policies, lambda seen: seen["serving"] == 1)["held"] is False
    missing = client.post("/api/policies/promote", json={"number": 9, "reason": "x"}, headers=bearer)
    assert (missing.status_code, "no version 9" in missing.json()["detail"]) == (409, True)


def _records_a_wish_to_be_forgotten(client: httpx.Client) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    told = client.post("/api/forget", json={"user_id": "ann", "reason": "asked"}, headers=bearer)
    assert told.status_code == 200, told.text
    until(lambda: client.get("/api/why/recommendation", params={"entity": "ann"}).status_code, lambda code: code == 404)
