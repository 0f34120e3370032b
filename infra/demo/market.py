"""The ad market that the demo invents: what auctions each campaign meets. Simulated; only the flights' dates are real.

Values are Beta(2, 8) and competing prices LogNormal(−2, 0.6), each scaled per campaign. An auction is a function of
the campaign and the tick, so that whoever asks again gets the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.demo.drawn import drawn, drawn_whole
from infra.demo.raw import Columns
from streams.records import Campaign, Objective
from streams.times import DAY, HOUR, SECOND, EventTime

TICK: Final = 2 * HOUR
WINNABLE: Final = {"Type A": 0.40, "Type B": 0.25, "Type C": 0.15}  # the part of the auctions the budget can buy
SHOWN_AFTER: Final = 200  # ms after the auction
CLICK_AFTER: Final = 20.0 * SECOND  # mean, after the impression
CONVERSION_AFTER: Final = 2.0 * HOUR  # mean, after the click
_PROBE: Final = 20_000  # auctions drawn to set a budget


Pair = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What one campaign's auctions are drawn from. Money in dollars."""

    campaign_id: str
    auctions_a_day: float
    value_scale: float
    price_scale: float
    click_rate: float  # clicks an impression
    conversion_rate: float  # conversions a click


class Auction(NamedTuple):
    """One auction, and what comes of it if it is won. Times are epoch ms; None is never."""

    name: str
    at: int
    value: float  # what winning is worth
    price: float  # the highest competing bid: what the winner pays
    shown_at: int
    clicked_at: int | None
    converted_at: int | None
    worth: float | None  # of the conversion; an impression is worth `value` on average


@cache
def market_of(campaign_id: str) -> Market:
    """The market of a campaign, drawn from its id."""
    scale = 1.0 + 4.0 * drawn("value", campaign_id)
    return Market(
        campaign_id=campaign_id,
        auctions_a_day=35.0 + 25.0 * drawn("auctions", campaign_id),
        value_scale=scale,
        price_scale=scale * (0.7 + 0.8 * drawn("price", campaign_id)),
        click_rate=0.02 + 0.06 * drawn("click", campaign_id),
        conversion_rate=0.05 + 0.15 * drawn("conversion", campaign_id),
    )


def auctions(market: Market, tick: int) -> list[Auction]:
    """The auctions of one tick, two hours, in order of time; `tick` is counted from the epoch."""
    dice = np.random.default_rng([drawn_whole("auctions", market.campaign_id), tick])
    count = int(dice.poisson(market.auctions_a_day * TICK / DAY))
    at = tick * TICK + np.sort(dice.integers(0, TICK, count))
    value, price = _draw(market, dice, count)
    chance = dice.random((count, 2))
    delay = np.column_stack([dice.exponential(CLICK_AFTER, count), dice.exponential(CONVERSION_AFTER, count)])
    luck = dice.lognormal(-0.02, 0.2, count)  # mean 1
    return [
        _auction(market, f"{market.campaign_id}-{tick}-{place}", *row)
        for place, row in enumerate(
            zip(
                at.tolist(), value.tolist(), price.tolist(), chance.tolist(), delay.tolist(), luck.tolist(), strict=True
            )
        )
    ]


def _auction(
    market: Market, name: str, at: int, value: float, price: float, chance: Pair, delay: Pair, luck: float
) -> Auction:
    clicked = at + SHOWN_AFTER + int(delay[0]) + 1 if chance[0] < market.click_rate else None
    converted = clicked + int(delay[1]) + 1 if clicked is not None and chance[1] < market.conversion_rate else None
    return Auction(
        name=name,
        at=at,
        value=round(value, 6),
        price=round(price, 6),
        shown_at=at + SHOWN_AFTER,
        clicked_at=clicked,
        converted_at=converted,
        worth=round(value * luck / (market.click_rate * market.conversion_rate), 4) if converted is not None else None,
    )


def _draw(market: Market, dice: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return dice.beta(2, 8, count) * market.value_scale, dice.lognormal(-2, 0.6, count) * market.price_scale


def budget(market: Market, winnable: float, days: float) -> float:
    """What the best `winnable` part of a flight's auctions costs: those with the most value for their price."""
    value, price = _draw(market, np.random.default_rng([drawn_whole("budget", market.campaign_id)]), _PROBE)
    best = np.argsort(-value / price)[: int(winnable * _PROBE)]
    return round(float(price[best].sum()) / _PROBE * market.auctions_a_day * days, 2)


def campaigns(described: Columns, first: int, last: int) -> list[Campaign]:
    """The real campaigns, their flights clipped to `first` … `last` (epoch ms); those outside are left out."""
    rows: Sequence[tuple[int, str, int, int]] = list(
        zip(*(described[name].tolist() for name in _DESCRIBED), strict=True)
    )
    flights = [(number, kind, max(start, first), min(end + DAY, last)) for number, kind, start, end in rows]
    return [_campaign(str(number), kind, start, end) for number, kind, start, end in flights if start < end]


_DESCRIBED: Final = ("campaign_id", "campaign_type", "start_date", "end_date")


def _campaign(campaign_id: str, kind: str, start: int, end: int) -> Campaign:
    market = market_of(campaign_id)
    return Campaign(
        campaign_id=campaign_id,
        budget=budget(market, WINNABLE[kind], (end - start) / DAY),
        starts_at=EventTime(start),
        ends_at=EventTime(end),
        bid_min=0.01,
        bid_max=round(market.value_scale, 2),
        objective=Objective(ctr=0.0, cvr=0.0, revenue=1.0),
    )
