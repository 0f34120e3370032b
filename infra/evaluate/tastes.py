"""Drawn shops as records: what the catalog would say of their items, and the tokens that come of it."""

import numpy as np

from policies.tasks.tastes import TasteShop
from streams.item_tokens import ItemTokens, Tokens
from streams.records import CatalogItem


def catalog_of(shop: TasteShop) -> list[CatalogItem]:
    """The shop's items as the catalog names them: `i0` is the first."""
    return [
        CatalogItem(
            item_id=f"i{item}",
            category=shop.category[item],
            price=round(float(shop.price[item]), 2),
            attributes=dict(shop.attributes[item]),
            embedding=shop.embedding[item].tolist() or None,
        )
        for item in range(shop.items)
    ]


def tokens_of(shop: TasteShop) -> Tokens:
    """The tokens of the shop's items [I, 32]."""
    tokens = ItemTokens()
    for row, item in enumerate(catalog_of(shop)):
        tokens.put(row, item)
    return tokens.read(np.arange(shop.items))
