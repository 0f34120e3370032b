"""What every worker knows in whole: the catalog, item statistics, stock. Folded from compacted topics and stock."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from streams.decay import Decayed, rank_of
from streams.item_table import ItemTable, Rows
from streams.item_tokens import ItemTokens, Tokens
from streams.records import CatalogItem, ItemStats, StockUpdate
from streams.times import DAY
from streams.topics import CATALOG, ITEM_STATS, STOCK_UPDATES, Topic
from streams.toplist import TopList

SHORT_HALF_LIFE: Final = DAY
LONG_HALF_LIFE: Final = 60 * DAY
TOP_ITEMS: Final = 400
TOP_OF_CATEGORY: Final = 40
YOUNG: Final = 200  # items that are looked through for what is like a user's
FEW_SALES: Final = 5.0  # up to which an item is young: decayed over 60 days
_ALL: Final = 1 << 62


@dataclass(slots=True)
class Stock:
    """Units on hand by item and location, from the newest update of each."""

    _at: dict[str, dict[str, tuple[int, float]]] = field(
        default_factory=lambda: defaultdict[str, dict[str, tuple[int, float]]](dict)
    )

    def put(self, update: StockUpdate) -> None:
        places = self._at[update.item_id]
        known = places.get(update.location)
        if known is None or update.occurred_at >= known[0]:
            places[update.location] = (int(update.occurred_at), update.on_hand)

    def is_short(self, item_id: str) -> bool:
        """Whether the item is out of stock somewhere."""
        return any(on_hand <= 0 for _, on_hand in self._at.get(item_id, {}).values())

    def available(self, item_id: str, location: str | None) -> bool:
        """Whether the item can be had: at `location` where stock is known there, else anywhere.

        An item that no stock update has named is taken to be available.
        """
        places = self._at.get(item_id)
        if not places:
            return True
        if location is not None and location in places:
            return places[location][1] > 0
        return any(on_hand > 0 for _, on_hand in places.values())


@dataclass(slots=True)
class Views:
    """The shared part of every state. Only `apply` changes it, and only between steps."""

    catalog: dict[str, CatalogItem] = field(default_factory=dict[str, CatalogItem])
    items: dict[str, ItemStats] = field(default_factory=dict[str, ItemStats])
    table: ItemTable = field(default_factory=ItemTable)
    tokens: ItemTokens = field(default_factory=ItemTokens)  # by the table's rows
    stock: Stock = field(default_factory=Stock)
    trending: TopList = field(default_factory=lambda: TopList(TOP_ITEMS))
    popular: TopList = field(default_factory=lambda: TopList(TOP_ITEMS))
    short_total: Decayed = field(default_factory=Decayed)
    long_total: Decayed = field(default_factory=Decayed)
    marks: dict[str, list[int]] = field(default_factory=dict[str, list[int]])  # by topic: each partition's next offset
    _unsold: TopList = field(default_factory=lambda: TopList(_ALL))  # by when they were listed
    _young: TopList = field(default_factory=lambda: TopList(_ALL))  # likewise: those with a token, and few sales
    _listed: dict[str, int] = field(default_factory=dict[str, int])  # when, epoch ms: those with a token
    _pool: tuple[Rows, Tokens] | None = None  # the youngest, until something changes
    by_category: dict[str, TopList] = field(
        default_factory=lambda: defaultdict[str, TopList](lambda: TopList(TOP_OF_CATEGORY))
    )

    def apply(self, topic: Topic, key: str, record: Any, logged_at: int = 0) -> None:
        """Take in one record of a watched topic; None deletes. `logged_at` is the log's own timestamp, epoch ms.

        What comes of it doesn't depend on the order in which a topic's partitions are read.
        """
        if topic is CATALOG:
            self._put_catalog(key, record, logged_at)
            self._judge(key)
        elif topic is ITEM_STATS:
            self._put_stats(key, record)
        elif topic is STOCK_UPDATES and record is not None:
            self.stock.put(record)
            self._judge(record.item_id)

    def reached(self, topic: str, partition: int, offset: int) -> None:
        """Note that a partition has been read up to `offset`, the next one. Marks handed out before stay."""
        known = self.marks.get(topic, [])
        marks = known + [0] * (partition + 1 - len(known))
        marks[partition] = offset
        self.marks = {**self.marks, topic: marks}

    def eligible(self, item_id: str, location: str | None = None) -> bool:
        """Whether the item may be shown: not blocked, and in stock. Unknown items may."""
        item = self.catalog.get(item_id)
        return not (item is not None and item.blocked) and self.stock.available(item_id, location)

    def _judge(self, item_id: str) -> None:
        """Mark an item that `eligible` may refuse: no others need be asked for."""
        item = self.catalog.get(item_id)
        self.table.doubt(item_id, doubtful=(item is not None and item.blocked) or self.stock.is_short(item_id))

    def cold(self, count: int) -> Rows:
        """The newest items of the catalog that nobody has bought yet."""
        return self._unsold.rows(count)

    def token(self, item_id: str) -> Tokens | None:
        """What the catalog says of an item [32]; None where it says nothing."""
        row = self.table.row(item_id)
        return self.tokens.read(np.array([row]))[0] if self.tokens.knows(row) else None

    def young(self) -> tuple[Rows, Tokens]:
        """The newest items of the catalog that have a token and hardly any sales: rows, and tokens [n, 32]."""
        if self._pool is None:
            rows = self._young.rows(YOUNG)
            self._pool = rows, self.tokens.read(rows)
        return self._pool

    def _judge_age(self, key: str) -> None:
        """Whether an item is young hangs on what is known of it now, not on what came first."""
        stats = self.items.get(key)
        listed = self._listed.get(key) if stats is None or stats.purchases_long < FEW_SALES else None
        if self._young.rank(key) == listed:
            return
        self._pool = None
        self._young.drop(key)
        if listed is not None:
            self._young.put(key, listed, self.table.row(key))

    def _describe(self, key: str, old: CatalogItem | None, item: CatalogItem | None, logged_at: int) -> None:
        """Keep the item's token."""
        row = self.table.row(key)
        if item is None or old is None or _said(old) != _said(item):
            self.tokens.put(row, item)
            self._pool = None
        if item is not None and self.tokens.knows(row):
            self._listed[key] = logged_at
        else:
            self._listed.pop(key, None)
        self._judge_age(key)

    def _put_catalog(self, key: str, item: CatalogItem | None, logged_at: int) -> None:
        old = self.catalog.pop(key, None)
        if old is not None and (item is None or item.category != old.category):
            self.by_category[old.category].drop(key)
        self._unsold.drop(key)
        self.table.put_category(key, item.category if item is not None else "")
        self._describe(key, old, item, logged_at)
        if item is not None:
            self.catalog[key] = item
            self._rank_in_category(key)
            if key not in self.items:
                self._unsold.put(key, logged_at, self.table.row(key))

    def _put_stats(self, key: str, stats: ItemStats | None) -> None:
        old = self.items.pop(key, None)
        self.table.put_stats(key, stats)
        row = self.table.row(key)
        if old is not None:
            self._count(old, -1.0)
        if stats is None:
            self.trending.drop(key)
            self.popular.drop(key)
            self._judge_age(key)
            return
        self.items[key] = stats
        self._judge_age(key)
        self._count(stats, 1.0)
        self._unsold.drop(key)
        self.trending.put(key, rank_of(stats.purchases_short, stats.as_of, SHORT_HALF_LIFE), row)
        self.popular.put(key, rank_of(stats.purchases_long, stats.as_of, LONG_HALF_LIFE), row)
        self._rank_in_category(key)

    def _count(self, stats: ItemStats, sign: float) -> None:
        self.short_total.add(sign * stats.purchases_short, int(stats.as_of), SHORT_HALF_LIFE)
        self.long_total.add(sign * stats.purchases_long, int(stats.as_of), LONG_HALF_LIFE)

    def _rank_in_category(self, key: str) -> None:
        item, stats = self.catalog.get(key), self.items.get(key)
        if item is not None and stats is not None:
            rank = rank_of(stats.purchases_long, stats.as_of, LONG_HALF_LIFE)
            self.by_category[item.category].put(key, rank, self.table.row(key))


def _said(item: CatalogItem) -> tuple[Any, ...]:
    """What an item's token is made from."""
    return item.embedding, item.attributes, item.category, item.price
