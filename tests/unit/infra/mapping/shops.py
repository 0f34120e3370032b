"""Invented shops, each with its own shape of messages, and the mapping that fits it."""

from typing import Any, Final

# ---- Track calls, in camel case: events named in words, times with an offset, prices as numbers ----------------------

TRACKED: Final[list[dict[str, Any]]] = [
    {
        "messageId": f"ajs-{number}",
        "type": "track",
        "event": event,
        "userId": f"user-{number % 3}" if number % 4 else None,
        "anonymousId": f"anon-{number % 3}",
        "timestamp": f"2017-01-01T12:{number:02}:00.000Z",
        "context": {"ip": "10.0.0.1", "page": {"path": "/x"}},
        "properties": {"productId": f"sku-{number % 5}", "price": 19.99, "quantity": 1, "currency": "EUR"},
    }
    for number, event in enumerate(
        ["Product Viewed", "Product Added", "Product Clicked", "Products Searched", "Page Scrolled"] * 6
    )
]
TRACKED_MAPPING: Final = """
[[rule]]
to = "user-events"
when = { type = "track" }

[rule.fields]
event_id = "messageId"
user_id = ["userId", "anonymousId"]
occurred_at = "timestamp"
item_id = "properties.productId"
price = "properties.price"
quantity = { path = "properties.quantity", default = 1 }
placement = { value = "web" }
context = { fields = { page = "context.page.path" } }

[rule.fields.type]
path = "event"
otherwise = "skip"

[rule.fields.type.values]
"Product Viewed" = "view"
"Product Clicked" = "click"
"Product Added" = "add_to_cart"
"Products Searched" = "search"
"""

# ---- Order webhooks, in snake case: numbers as ids, prices as text, lines inside -------------------------------------

WEBHOOKS: Final[list[dict[str, Any]]] = [
    {
        "id": 450_789_469 + number,
        "created_at": f"2017-01-{number + 1:02}T11:00:00-05:00",
        "financial_status": "paid" if number % 3 else "voided",
        "total_price": "409.94",
        "customer": {"id": 207_119_551, "email": "bob@example.com"},
        "line_items": [
            {"sku": f"IPOD-{number}", "quantity": 2, "price": "199.00", "fulfillment_location": "main"},
            {"sku": "CASE", "quantity": 1, "price": "11.94", "fulfillment_location": "main"},
        ],
    }
    for number in range(12)
]
WEBHOOKS_MAPPING: Final = """
[[rule]]
from = "shop.orders"
to = "orders"
when = { financial_status = { not = "voided" } }

[rule.fields]
order_id = "id"
user_id = "customer.id"
occurred_at = "created_at"

[rule.fields.lines]
each = "line_items"
fields = { item_id = "sku", location = "fulfillment_location", quantity = "quantity", price = "price" }

[[rule]]
from = "shop.orders"
to = "user-events"
each = "line_items"
when = { financial_status = { not = "voided" } }

[rule.fields]
event_id = { join = ["$.id", "sku"], by = "/" }
user_id = "$.customer.id"
type = { value = "purchase" }
occurred_at = "$.created_at"
item_id = "sku"
quantity = "quantity"
price = "price"
"""

# ---- Analytics events: microseconds, items inside, parameters as a list of pairs -------------------------------------

ANALYTICS: Final[list[dict[str, Any]]] = [
    {
        "event_name": name,
        "event_timestamp": (1_483_272_000 + number) * 1_000_000,
        "user_pseudo_id": f"{number % 4}.99",
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": 1}},
            {"key": "page_location", "value": {"string_value": "https://shop.example/p"}},
        ],
        "items": [{"item_id": f"P{number % 7}", "item_name": "Thing", "price_in_cents": 1999, "quantity": 1}],
    }
    for number, name in enumerate(["view_item", "select_item", "add_to_cart", "purchase", "scroll"] * 6)
]
ANALYTICS_MAPPING: Final = """
[[rule]]
from = "ga.events"
to = "user-events"
each = "items"
when = { event_name = ["view_item", "select_item", "add_to_cart", "purchase"] }

[rule.fields]
event_id = "$place"
user_id = "$.user_pseudo_id"
occurred_at = { path = "$.event_timestamp", unit = "us" }
item_id = "item_id"
price = { path = "price_in_cents", unit = "cents" }
quantity = "quantity"
context = { fields = { page = "$.event_params[key=page_location].value.string_value" } }

[rule.fields.type]
path = "$.event_name"
values = { view_item = "view", select_item = "click", add_to_cart = "add_to_cart", purchase = "purchase" }
"""

# ---- A warehouse: seconds, columns in capitals -----------------------------------------------------------------------

STOCK: Final[list[dict[str, Any]]] = [
    {
        "ROW_ID": number,
        "ARTICLE_NO": f"A{number}",
        "STORE": "north",
        "STOCK_QTY": 12 - number,
        "TS": 1_483_272_000 + number,
    }
    for number in range(10)
]
STOCK_MAPPING: Final = """
[[rule]]
from = "erp.stock"
to = "stock-updates"

[rule.fields]
event_id = { join = ["STORE", "ROW_ID"] }
item_id = "ARTICLE_NO"
location = "STORE"
on_hand = "STOCK_QTY"
occurred_at = { path = "TS", unit = "s" }
"""
