"""Shops whose users have tastes: items lie in a latent space, and what is said of them tells where. New ones come.

An item c lies at z_c; a user comes with one of a few interests u and takes c with chance ∝ popularity_c exp(κ u·z_c).
Embeddings are noisy linear images of z, categories go by the centre that an item was drawn around, brands with either
or with nothing; some shops have no embeddings, some no attributes. Nothing of it is fitted to any data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from policies.linalg import Floats

DAY: Final = 86_400_000
OPENS: Final = 1_700_000_000_000  # epoch ms; any day would do
MINUTE: Final = 60_000
_NOTHING: Final[dict[str, str | float]] = {}

Kind = Literal["view", "add_to_cart", "purchase"]
Ints = npt.NDArray[np.int64]


class Touch(NamedTuple):
    """What a user did to an item: epoch ms, who, how, and which item by its number. `visit` numbers all visits."""

    at: int
    user: str
    kind: Kind
    item: int
    visit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteShop:
    """One shop: what its items are like and when they were listed, and how its users come, look and buy."""

    seed: int
    users: int
    days: int
    gap_days: float  # between visits
    looks: float  # mean views a visit beside what is bought
    buys: float  # mean purchases a visit
    faithful: float  # share of purchases that repeat an earlier one
    latent: Floats  # [I, m] z
    popularity: Floats  # [I]
    listed: Ints  # [I] epoch ms; those that were there from the start: OPENS
    embedding: Floats  # [I, L]; L is 0 where the shop has none
    attributes: tuple[dict[str, str | float], ...]  # by item; empty where the shop says nothing
    category: tuple[str, ...]
    price: Floats  # [I]
    strength: float  # κ

    @property
    def items(self) -> int:
        return len(self.price)


def draw_shop(seed: int) -> TasteShop:
    """The shop of this seed."""
    rng = np.random.default_rng([seed, 81])
    items, width = int(_between(rng, 120, 1200)), int(rng.integers(3, 9))
    kinds = max(4, int(items / rng.uniform(10, 60)))
    centres = rng.normal(size=(kinds, width))
    kind = rng.integers(0, kinds, items)
    latent = centres[kind] + rng.uniform(0.2, 0.9) * rng.normal(size=(items, width))
    latent /= np.linalg.norm(latent, axis=1, keepdims=True)
    says = int(rng.integers(4))  # 0: no embeddings; 1: no attributes; else both
    days = int(rng.uniform(40, 150))
    new = rng.random(items) < rng.uniform(0.1, 0.5)
    return TasteShop(
        seed=seed,
        users=int(_between(rng, 120, 400)),
        days=days,
        gap_days=_between(rng, 2.0, 20.0),
        looks=_between(rng, 0.3, 6.0),
        buys=_between(rng, 0.5, 3.0),
        faithful=float(rng.uniform(0.0, 0.6)),
        latent=latent,
        popularity=np.power(1.0 + rng.permutation(items), -float(rng.uniform(0.3, 1.0))),
        listed=OPENS + (new * rng.uniform(0.0, 0.95 * days, items) * DAY).astype(np.int64),
        embedding=_embedded(rng, latent) if says else np.zeros((items, 0)),
        attributes=tuple(_said(rng, kind, kinds)) if says != 1 else tuple(_NOTHING for _ in range(items)),
        category=tuple(f"kind{each}" for each in kind),
        price=np.exp(rng.normal(2.0, 0.6, kinds)[kind] + 0.4 * rng.normal(size=items)),
        strength=_between(rng, 1.0, 6.0),
    )


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform."""
    return low * (high / low) ** float(rng.random())


def _embedded(rng: np.random.Generator, latent: Floats) -> Floats:
    """A noisy linear image, off the origin as a network's embeddings are: [I, L]."""
    length = int(_between(rng, 8, 384))
    image = latent @ rng.normal(size=(latent.shape[1], length)) / np.sqrt(latent.shape[1])
    noise = np.asarray(_between(rng, 0.05, 1.5) * rng.normal(size=image.shape), dtype=np.float64)
    common = np.asarray(rng.uniform(0.0, 1.0) * rng.normal(size=length), dtype=np.float64)
    return np.asarray(image + noise / np.sqrt(latent.shape[1]) + common, dtype=np.float64)


def _said(rng: np.random.Generator, kind: Ints, kinds: int) -> Iterator[dict[str, str | float]]:
    """Attributes: a type narrower than the category, a brand that says little, and a number that says nothing."""
    types, brands = rng.integers(0, 4, len(kind)), rng.integers(0, max(3, kinds // 2), len(kind))
    follows = rng.random(len(kind)) < rng.uniform(0.0, 0.8)
    brands = np.where(follows, kind % max(3, kinds // 2), brands)
    for item, (one, kind_of, brand) in enumerate(zip(types.tolist(), kind.tolist(), brands.tolist(), strict=True)):
        yield {"type": f"t{kind_of}-{one}", "brand": f"b{brand}", "weight": float(1 + item % 7)}


def touches(shop: TasteShop) -> list[Touch]:
    """All that its users do, in order of time. The same shop gives the same ones."""
    rng = np.random.default_rng([shop.seed, 82])
    found: list[Touch] = []
    interests = rng.normal(size=(shop.users, 3, shop.latent.shape[1]))
    interests /= np.linalg.norm(interests, axis=2, keepdims=True)
    many = rng.integers(1, 4, shop.users)
    owned: list[list[int]] = [[] for _ in range(shop.users)]
    for visit, (at, user) in enumerate(_visits(shop, rng)):
        if rng.random() < 0.02:  # a taste is given up for another
            fresh = np.asarray(rng.normal(size=shop.latent.shape[1]), dtype=np.float64)
            interests[user, int(rng.integers(3))] = fresh / np.linalg.norm(fresh)
        which = int(rng.integers(int(many[user])))
        appeal = shop.popularity * np.exp(shop.strength * (shop.latent @ interests[user, which]))
        appeal = np.cumsum(appeal * (shop.listed <= at))
        found += _visit(shop, rng, at, user, appeal, owned[user], visit)
    return found


def _visits(shop: TasteShop, rng: np.random.Generator) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for user in range(shop.users):
        day = float(rng.uniform(0.0, 0.9 * shop.days))  # many users come late: they are cold for a while
        while day < shop.days:
            found.append((OPENS + int(day * DAY), user))
            day += 0.1 + float(rng.exponential(shop.gap_days))
    return sorted(found)


def _visit(
    shop: TasteShop, rng: np.random.Generator, at: int, user: int, appeal: Floats, owned: list[int], visit: int
) -> Iterator[Touch]:
    def some(count: int) -> list[int]:
        drawn = np.asarray(np.searchsorted(appeal, rng.random(count) * appeal[-1], side="right"), dtype=np.int64)
        return cast(list[int], np.minimum(drawn, shop.items - 1).tolist())

    looked = list(dict.fromkeys(some(int(rng.poisson(shop.looks)))))
    bought: dict[int, None] = {}
    for _ in range(int(rng.poisson(shop.buys))):
        repeats = bool(owned) and rng.random() < shop.faithful
        if repeats:
            bought[owned[int(rng.integers(len(owned)))]] = None
        elif looked and rng.random() < 0.5:
            bought[looked[int(rng.integers(len(looked)))]] = None
        else:
            bought[some(1)[0]] = None
    name = f"u{user}"
    for place, item in enumerate(looked):
        yield Touch(at + place * MINUTE, name, "view", item, visit)
    later = at + (len(looked) + 1) * MINUTE
    for place, item in enumerate(bought):
        if rng.random() < 0.5:
            yield Touch(later + 2 * place * MINUTE, name, "add_to_cart", item, visit)
        yield Touch(later + (2 * place + 1) * MINUTE, name, "purchase", item, visit)
    owned.extend(item for item in bought if item not in owned)
