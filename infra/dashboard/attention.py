"""What needs a look, in words, worst first; and the one line that a merchandiser reads. Rules only."""

from dataclasses import dataclass
from typing import Final, Literal

from infra.dashboard.ads import Account
from infra.dashboard.following import Following
from infra.dashboard.model import ACTIONS, INPUTS, Model
from infra.dashboard.waits import Quantiles

Level = Literal["bad", "warn"]

QUIET_S: Final = 60  # events that get no action for so long
SLOW_MS: Final = 5_000  # at the 99th percentile
BEHIND: Final = 20_000  # records
RECENT_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    level: Level
    text: str
    section: str  # where on the page to look


def notices(model: Model, following: Following, waits: Quantiles | None, now: int) -> list[Notice]:
    """What is wrong at `now`, epoch ms of this machine's clock."""
    found = [*_broker(following), *_flow(model, following, now), *_letters(model, now)]
    if waits is not None and waits.p99 > SLOW_MS:
        text = f"actions are slow: 1 in 100 takes more than {waits.p99 / 1000:.1f} s"
        found.append(Notice(level="warn", text=text, section="flow"))
    found += [*_ads(model), *_stock(model), *_policy(model)]
    return sorted(found, key=lambda notice: notice.level != "bad")


def _broker(following: Following) -> list[Notice]:
    if following.state != "away":
        return []
    return [Notice(level="bad", text=f"{following.told}; trying again every few seconds", section="flow")]


def _flow(model: Model, following: Following, now: int) -> list[Notice]:
    found: list[Notice] = []
    waiting = sum(one.records or 0 for one in following.behind)
    if waiting > BEHIND:
        found.append(Notice(level="warn", text=f"{waiting:,} records wait for the workers", section="flow"))
    if following.state != "live":
        return found
    came_in = sum(sum(model.rings[topic.name].last(QUIET_S, now)) for topic in INPUTS)
    acted = sum(sum(model.rings[topic.name].last(QUIET_S, now)) for topic in ACTIONS)
    if came_in and waiting and not acted:
        text = f"events come in, and none was acted on for {QUIET_S} s: is a `tradewind worker` running?"
        found.append(Notice(level="bad", text=text, section="flow"))
    return found


def _letters(model: Model, now: int) -> list[Notice]:
    recent = sum(model.letters.ring.last(RECENT_S, now))
    if not recent:
        return []
    return [Notice(level="warn", text=f"{_many(recent, 'message')} couldn't be read lately", section="letters")]


def _ads(model: Model) -> list[Notice]:
    states = [account.state(model.now) for _, account in model.ads.accounts.items()]
    over, ahead = states.count("over budget"), states.count("ahead")
    found: list[Notice] = []
    if over:
        found.append(Notice(level="bad", text=f"{_many(over, 'campaign')} over budget", section="ads"))
    if ahead:
        found.append(Notice(level="warn", text=f"{_many(ahead, 'campaign')} spending ahead of time", section="ads"))
    return found


def _stock(model: Model) -> list[Notice]:
    out = sum(shelf.now.out for shelf in model.shelves.shelves.values())
    return [Notice(level="warn", text=f"{_many(out, 'shelf')} empty", section="stock")] if out else []


def _policy(model: Model) -> list[Notice]:
    unreadable = model.versions.serving.refused["unreadable"]
    if not unreadable:
        return []
    return [Notice(level="warn", text=f"{_many(unreadable, 'policy version')} can't be read", section="policy")]


def pressing(account: Account, now: int) -> tuple[int, float]:
    """How soon somebody should look at a campaign: the smaller, the sooner."""
    order = ["over budget", "ahead", "behind", "on pace", "waiting", "no plan", "ended"]
    return order.index(account.state(now)), -account.spent


def _many(count: int, what: str) -> str:
    """
    >>> _many(1, "shelf"), _many(3, "shelf"), _many(2, "campaign")
    ('1 shelf', '3 shelves', '2 campaigns')
    """
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what.removesuffix('f') + 'ves' if what.endswith('f') else what + 's'}"
