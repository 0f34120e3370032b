"""The words that shops use for our fields and kinds of events. A table, and how names are taken apart."""

import re
from typing import Final

_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# By topic, then by field: names as shops write them, without dots, dashes, capitals; the likeliest first.
ALIASES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "*": {
        "event_id": (
            "eventid", "messageid", "msgid", "uuid", "guid", "eventuuid", "id", "rowid", "insertid", "requestid",
        ),
        "user_id": (
            "userid", "customerid", "customerno", "shopperid", "memberid", "accountid", "clientid", "visitorid",
            "userpseudoid", "anonymousid", "householdid", "profileid", "uid", "user", "customer", "visitor", "shopper",
        ),
        "occurred_at": (
            "occurredat", "timestamp", "eventtimestamp", "eventtime", "createdat", "ts", "time", "datetime", "at",
            "date", "processedat", "updatedat", "sentat", "originaltimestamp", "placedat", "orderdate",
        ),
        "item_id": (
            "itemid", "productid", "sku", "skuid", "articleid", "articleno", "variantid", "productsku", "productcode",
            "asin", "gtin", "ean", "itemcode", "materialno", "product", "item", "article",
        ),
        "quantity": ("quantity", "qty", "units", "amount", "count", "pieces", "qtyordered"),
        "price": ("price", "unitprice", "priceincents", "pricecents", "itemprice", "saleprice", "pricemicros", "cost"),
        "location": (
            "location", "locationid", "store", "storeid", "warehouse", "warehouseid", "site", "siteid",
            "fulfillmentlocation", "depot", "branch", "shop",
        ),
        "decision_id": ("decisionid", "recommendationid", "slateid"),
        "campaign_id": ("campaignid", "campaign", "adcampaignid", "lineitemid", "adgroupid"),
    },
    "user-events": {
        "type": ("type", "event", "eventname", "eventtype", "action", "kind", "name", "activity", "verb"),
        "placement": ("placement", "slot", "widget", "surface", "position"),
        "slate_size": ("slatesize", "limit", "numresults", "size"),
    },
    "orders": {
        "order_id": ("orderid", "ordernumber", "orderno", "transactionid", "receiptid", "basketid", "id", "number"),
        "lines": ("lines", "lineitems", "orderlines", "items", "products", "positions", "entries", "basket"),
    },
    "stock-updates": {
        "on_hand": (
            "onhand", "available", "stockqty", "stock", "stocklevel", "inventory", "inventorylevel", "quantity", "qty",
            "availablequantity", "level",
        ),
        "on_order": ("onorder", "incoming", "ordered", "inbound"),
        "received": ("received", "receivedqty", "goodsreceipt"),
    },
    "ad-events": {
        "type": ("type", "event", "eventname", "eventtype", "action", "kind"),
        "bid": ("bid", "bidprice", "bidamount", "cpm", "bidmicros"),
        "won": ("won", "win", "iswin", "winner"),
        "price": ("price", "clearingprice", "winprice", "cost", "paid", "spend", "pricemicros"),
        "value": ("value", "conversionvalue", "revenue"),
    },
    "catalog": {
        "item_id": ("itemid", "productid", "sku", "id", "articleid", "articleno", "code", "handle"),
        "category": ("category", "categoryid", "producttype", "department", "categoryname", "group", "taxonomy"),
        "unit_cost": ("unitcost", "cost", "purchaseprice", "costprice"),
        "blocked": ("blocked", "archived", "disabled", "discontinued", "hidden"),
    },
    "campaigns": {
        "campaign_id": ("campaignid", "id", "campaign", "code"),
        "budget": ("budget", "totalbudget", "dailybudget", "budgetamount", "budgetmicros", "budgetcents"),
        "starts_at": ("startsat", "startdate", "starttime", "start", "from", "validfrom"),
        "ends_at": ("endsat", "enddate", "endtime", "end", "until", "to", "validto"),
        "bid_min": ("bidmin", "minbid", "bidfloor", "floor"),
        "bid_max": ("bidmax", "maxbid", "bidcap", "bidceiling", "maxcpc"),
    },
}  # fmt: skip

_CART: Final = {"cart", "basket", "bag", "trolley"}
_STEMS: Final[dict[str, tuple[str, ...]]] = {
    "remove": ("remove", "removed", "delete", "deleted"),
    "add": ("add", "added", "put", "adds"),
    "purchase": ("purchase", "purchased", "bought", "buy", "sale", "sold", "transaction", "paid"),
    "order": ("order", "checkout", "payment"),
    "done": ("completed", "complete", "placed", "finished", "success", "succeeded", "confirmed", "created"),
    "search": ("search", "searched", "query", "searches"),
    "click": ("click", "clicked", "select", "selected", "tap", "tapped", "clicks"),
    "view": ("view", "viewed", "views", "seen", "detail", "details", "pdp", "visit", "visited"),
    "request": ("request", "requested", "recommend"),
    "auction": ("auction", "bid"),
    "impression": ("impression", "impressions", "shown", "served", "imp"),
    "conversion": ("conversion", "converted", "convert", "conv"),
    "page": ("page", "screen", "homepage", "cart", "basket"),
}


def words(name: str) -> list[str]:
    """The words of a name, in any case.

    >>> words("ProductViewed"), words("add_to_cart"), words("ARTICLE_NO")
    (['product', 'viewed'], ['add', 'to', 'cart'], ['article', 'no'])
    """
    return [part.lower() for part in _PART.findall(name)]


def plain(name: str) -> str:
    """A name without anything but its letters and digits.

    >>> plain("customer.Id")
    'customerid'
    """
    return "".join(words(name))


def aliases_of(topic: str, name: str) -> tuple[str, ...]:
    """What shops may call a field."""
    return ALIASES.get(topic, {}).get(name) or ALIASES["*"].get(name) or (plain(name),)


def user_event(text: str) -> str | None:
    """Which of our kinds a shop's word for an event means, if any.

    >>> user_event("Product Viewed"), user_event("add_to_cart"), user_event("OrderCompleted"), user_event("scroll")
    ('view', 'add_to_cart', 'purchase', None)
    """
    said = _stems(text)
    if said & _CART and "remove" in said:
        return "remove_from_cart"
    if "add" in said and (said & _CART or "product" in said or "item" in said):
        return "add_to_cart"
    if "purchase" in said or {"order", "done"} <= said:
        return "purchase"
    for kind in ("search", "click"):
        if kind in said:
            return kind
    if "view" in said:
        return None if "page" in said else "view"
    return "request" if "request" in said else None


def ad_event(text: str) -> str | None:
    """The same of a step of an ad's life.

    >>> ad_event("AdImpression"), ad_event("bid"), ad_event("sale"), ad_event("x")
    ('impression', 'auction', 'conversion', None)
    """
    said = _stems(text)
    if "purchase" in said:
        return "conversion"
    return next((kind for kind in ("conversion", "click", "impression", "auction") if kind in said), None)


def _stems(text: str) -> set[str]:
    said = set(words(text))
    return said | {stem for stem, forms in _STEMS.items() if said & set(forms)}
