"""Campaigns and SKUs as the page and the API show them: those that need a look first, and no more than fit."""

from heapq import nsmallest
from statistics import median
from typing import Final

from infra.dashboard import views
from infra.dashboard.ads import Account
from infra.dashboard.attention import pressing
from infra.dashboard.model import Model
from infra.dashboard.shelves import Shelf

SHOWN: Final = 50
_NEXT: Final = 12
_FOREVER: Final = float("inf")


def ads(model: Model) -> views.Ads:
    known = sorted(model.ads.accounts.items(), key=lambda one: (*pressing(one[1], model.now), one[0]))
    planned = [account for _, account in known if account.plan is not None]
    return views.Ads(
        campaigns=[_campaign(name, account, model.now) for name, account in known[:SHOWN]],
        count=len(known),
        spent=sum(account.spent for _, account in known),
        budget=sum(account.plan.budget for account in planned if account.plan is not None),
        value=sum(account.value for _, account in known),
    )


def _campaign(name: str, account: Account, now: int) -> views.CampaignView:
    plan, last = account.plan, account.last
    return views.CampaignView(
        campaign_id=name,
        state=account.state(now),
        spent=account.spent,
        budget=plan.budget if plan is not None else None,
        spent_share=account.share(),
        flight_gone=account.gone(now) if plan is not None else None,
        auctions=account.auctions,
        won=account.won,
        value=account.value,
        bid_multiplier=last.bid_multiplier if last is not None else None,
        max_bid=last.max_bid if last is not None else None,
        reason=last.reason if last is not None else None,
    )


def stock(model: Model) -> views.Stock:
    shelves = model.shelves
    known = [(name, shelf, shelf.cover_days()) for name, shelf in shelves.shelves.items()]
    covers = [cover for _, _, cover in known if cover is not None]
    next_out = [one for one in known if one[2]]
    return views.Stock(
        skus=[_sku(model, *one) for one in nsmallest(SHOWN, known, key=_need)],
        next_out=[_sku(model, *one) for one in nsmallest(_NEXT, next_out, key=_need)],
        count=len(known),
        out=sum(shelf.now.out for _, shelf, _ in known),
        stock_outs=shelves.stock_outs,
        given_up=shelves.given_up,
        median_cover_days=median(covers) if covers else None,
    )


def _need(known: tuple[str, Shelf, float | None]) -> tuple[float, int, str]:
    """The shortest cover first; of equals that which ran empty most often."""
    name, shelf, cover = known
    return _FOREVER if cover is None else cover, -shelf.now.stock_outs, name


def _sku(model: Model, name: str, shelf: Shelf, cover: float | None) -> views.SkuView:
    item, _, location = name.rpartition("@")
    last = shelf.last
    return views.SkuView(
        item_id=item,
        location=location,
        sku=name,
        category=model.categories.get(item),
        on_hand=shelf.now.on_hand,
        on_order=shelf.on_order,
        sold_a_day=shelf.sold_a_day(),
        cover_days=cover,
        stock_outs=shelf.now.stock_outs,
        days_out=shelf.days_out(model.now),
        last_order=last.quantity if last is not None else None,
        reason=last.reason if last is not None else None,
    )
