"""The dashboard in a browser: light, dark and on a phone, by keyboard, offline, and hostile names kept as text."""

import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from infra.dashboard import app as dashboard
from infra.dashboard.following import Behind
from infra.dashboard.service import Service
from infra.settings import load
from policies.version import SHIPPED
from streams.records import AdEvent, BidAdjustment, Campaign, CatalogItem, DeadLetter, StockUpdate, UserEvent
from streams.times import DAY, EventTime
from streams.topics import (
    AD_EVENTS,
    BID_ADJUSTMENTS,
    CAMPAIGNS,
    CATALOG,
    DEAD_LETTERS,
    STOCK_UPDATES,
    USER_EVENTS,
)
from tests.unit.infra.dashboard.shop import AT, evidence_of, slates, tell, tell_slate

TOKEN = "correct-horse-battery"  # noqa: S105 # of nothing
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
HOSTILE = "<img src=x onerror=alert(1)>" + "w" * 120


def fill(service: Service) -> None:
    """A shop with a little of everything, one campaign and one item of names that nobody would choose."""
    rng, model, now = np.random.default_rng(0), service.model, service.now()
    model.waits.since = 0
    service.following.turn("live", now)
    service.following.behind = [Behind(group="tradewind", topic="user-events", records=12)]
    for logged in slates(rng, [evidence_of(rng, n) for n in range(4)]):
        tell_slate(model, logged, at=now)
    for n in range(10):
        tell(model, CATALOG, CatalogItem(item_id=f"i{n}", category="FLUID MILK PRODUCTS"))
        update = StockUpdate(
            event_id=f"s{n}", item_id=f"i{n}", location="north", on_hand=float(n), occurred_at=EventTime(AT)
        )
        tell(model, STOCK_UPDATES, update)
    for n, name in enumerate((HOSTILE, "spring", "summer")):
        plan = Campaign(
            campaign_id=name,
            budget=100.0,
            starts_at=EventTime(AT - DAY),
            ends_at=EventTime(AT + DAY),
            bid_min=0.0,
            bid_max=2.0,
        )
        tell(model, CAMPAIGNS, plan)
        won = AdEvent(
            event_id=f"a{n}",
            campaign_id=name,
            type="auction",
            occurred_at=EventTime(AT),
            won=True,
            price=30.0 * n,
            value=50.0,
        )
        tell(model, AD_EVENTS, won)
        bid = BidAdjustment(
            decision_id=f"b{n}",
            campaign_id=name,
            bid_multiplier=0.8,
            max_bid=2.0,
            reason="",
            policy_version=SHIPPED.number,
            decided_at=AT,
        )
        tell(model, BID_ADJUSTMENTS, bid, at=now)
    event = UserEvent(event_id="e-u0", user_id="u0", type="request", occurred_at=EventTime(AT))
    tell(model, USER_EVENTS, event, at=now - 200)
    letter = DeadLetter(topic="orders", partition=0, offset=3, reason="not-json", detail=HOSTILE, value=None, at=AT)
    tell(model, DEAD_LETTERS, letter, at=now)


@pytest.fixture(scope="module")
def address(chromium: Any) -> Generator[str]:
    """Where a filled dashboard is served; only where there is a browser to look at it."""
    service = dashboard.service(load(), host="127.0.0.1", token=TOKEN, every_s=0.3)
    fill(service)
    config = uvicorn.Config(
        dashboard.build(service, follow=False), port=0, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)


class Visit:
    """A page that is open, and whatever it did that it shouldn't have."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.address = address
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)
        self.page.on("request", self._asked)
        self.page.on("dialog", self._failed)
        self.page.goto(address)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(message.text)

    def _failed(self, what: Any) -> None:
        self.wrong.append(str(what))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"asked for {request.url}")

    def settled(self) -> Any:
        """The page once it is live and its charts are drawn."""
        self.page.wait_for_selector("html[data-live]")
        self.page.wait_for_selector("#chart-beliefs .main-svg")
        return self.page


LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "has_touch": True},
}


@pytest.mark.parametrize("look", LOOKS)
def test_it_fits_and_asks_for_nothing_from_elsewhere(chromium: Any, address: str, look: str) -> None:
    visit = Visit(chromium, address, **LOOKS[look])
    page = visit.settled()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"test-{look}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (look == "dark")
    assert visit.wrong == []
    visit.context.close()


def test_hostile_names_are_text(chromium: Any, address: str) -> None:
    visit = Visit(chromium, address)
    page = visit.settled()
    assert page.locator("#ads").inner_text().count("<img src=x onerror") >= 1
    assert page.locator("img[src='x']").count() == 0
    assert visit.wrong == []
    visit.context.close()


def test_the_theme_can_be_chosen_and_stays(chromium: Any, address: str) -> None:
    visit = Visit(chromium, address, color_scheme="light")
    page = visit.settled()
    page.get_by_role("button", name="Switch to dark colours").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    visit.context.close()


def test_it_can_be_walked_by_keyboard(chromium: Any, address: str) -> None:
    visit = Visit(chromium, address)
    page = visit.settled()
    seen: list[str] = []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the numbers"
    for _ in range(60):
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen[-1]
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
    order = [
        seen.index(name) for name in ("Skip to the numbers", "pause", "theme", "Flow", "domain", "entity", "Explain")
    ]
    assert order == sorted(order)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('input, select, button')].filter(
            (one) => !one.labels?.length && !one.textContent.trim() && !one.getAttribute('aria-label')).length"""
    )
    assert unnamed == 0
    visit.context.close()


def test_what_is_chosen_is_explained_and_focus_outlives_an_update(chromium: Any, address: str) -> None:
    visit = Visit(chromium, address)
    page = visit.settled()
    page.locator("#entity").fill("u1")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-live]")
    assert "User u1" in page.locator("#why").inner_text()
    page.locator("#why-terms summary").click()
    time.sleep(1.0)  # three updates
    assert page.locator("#why-terms").get_attribute("open") is not None
    assert "to the last bit" in page.locator("#why-terms").inner_text()
    assert page.evaluate("document.activeElement.closest('details')?.id") == "why-terms"
    visit.context.close()


def test_who_has_the_token_can_act_after_signing_in(chromium: Any, address: str) -> None:
    visit = Visit(chromium, address)
    page = visit.settled()
    assert page.locator("[data-open]").count() == 0
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("that is not the token").wait_for()
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Roll back…").wait_for()
    page.get_by_role("button", name="Roll back…").click()
    assert page.evaluate("document.querySelector('#dialog-rollback').open")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('#dialog-rollback').open")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.wait_for()
    visit.context.close()
