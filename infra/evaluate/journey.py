"""Complete Journey 2017 as a log of baskets, by product or by product type: for benchmarks and for meta-training."""

from typing import Any, Final, Literal

import numpy as np

from infra.demo.raw import read_table
from policies.baskets.training import Log
from policies.tasks.shop import Basket

By = Literal["product", "type"]
WARM_UP: Final = 0.6  # of the span: what lies after it is measured, and never trained on


def journey(by: By) -> tuple[list[Basket], dict[str, str]]:
    """All baskets in order of time, and the kinds of the items (the product's type). Raises UserError."""
    lines = read_table("transactions", ("household_id", "basket_id", "product_id", "transaction_timestamp"))
    products = read_table("products", ("product_id", "product_type"))
    type_of: dict[int, str] = dict(
        zip(products["product_id"].tolist(), products["product_type"].astype(np.str_).tolist(), strict=True)
    )
    found: dict[int, tuple[int, str, set[int]]] = {}
    names = ("basket_id", "transaction_timestamp", "household_id", "product_id")
    columns: Any = [lines[name].tolist() for name in names]
    for basket, at, household, product in zip(*columns, strict=True):
        known = found.get(basket)
        if known is None:
            known = found[basket] = (at, str(household), set())
        elif at < known[0]:
            known = found[basket] = (at, known[1], known[2])
        known[2].add(product)
    ordered = sorted(found.items(), key=lambda each: (each[1][0], each[0]))
    if by == "type":
        return [Basket(at, user, sorted({type_of.get(x, "") for x in items})) for _, (at, user, items) in ordered], {}
    kinds = {str(product): kind for product, kind in type_of.items() if kind}
    return [Basket(at, user, sorted(str(x) for x in items)) for _, (at, user, items) in ordered], kinds


def until(log: list[Basket], share: float) -> list[Basket]:
    """The baskets of the first part of the span."""
    first, last = log[0].at, log[-1].at
    return [basket for basket in log if (basket.at - first) < share * (last - first)]


def to_train_on() -> list[Log]:
    """What the shipped weights of the next-basket rule are trained on, beside drawn shops. Raises UserError."""
    products, kinds = journey("product")
    types, _ = journey("type")
    return [
        Log(name="product", baskets=until(products, WARM_UP), kinds=kinds),
        Log(name="product-without-kinds", baskets=until(products, WARM_UP), weight=0.5),
        Log(name="type", baskets=until(types, WARM_UP)),
    ]
