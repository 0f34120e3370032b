"""The features of pairs are those of each slate alone, whatever is worked out beside it."""

import numpy as np

from agents.candidates import Look
from agents.pairs import Facts, features
from policies.slates.recommend import FEATURES, SCALE
from streams.profile import Profile
from streams.records import CatalogItem, UserEvent
from streams.times import DAY, EventTime
from streams.topics import CATALOG
from streams.views import Views

START = 1_483_228_800_000


def shop() -> Views:
    known = Views()
    for n in range(40):
        known.apply(CATALOG, f"i{n}", CatalogItem(item_id=f"i{n}", category=f"c{n % 4}"))
    return known


def bought(*items: str, price: float = 2.0) -> Profile:
    profile = Profile()
    for day, item in enumerate(items):
        event = UserEvent(
            event_id=f"{day}",
            user_id="ann",
            type="purchase",
            occurred_at=EventTime(START + day * DAY),
            item_id=item,
            price=price,
        )
        profile.features.update(profile.observe(event))
    return profile


def seen(profile: Profile, views: Views, days: int) -> Facts:
    look = Look(profile, views, START + days * DAY)
    return look.facts(look.candidates())


def test_a_slate_has_the_same_features_alone_and_beside_others() -> None:
    views = shop()
    asked = [seen(bought(*(f"i{n % 7}" for n in range(size))), views, 40 + size) for size in (0, 1, 5, 30)]
    together = list(features(asked, views))
    for one, known in zip(asked, together, strict=True):
        np.testing.assert_array_equal(next(features([one], views)).phi, known.phi)


def test_what_the_features_say() -> None:
    views = shop()
    items = ["i1", "i2", "i3", "i5", "i7"]
    look = Look(bought("i3", "i5", "i3"), views, START + 4 * DAY)
    ((phi, _),) = features([look.facts(views.table.rows(items))], views)
    rows = dict(zip(items, phi / SCALE, strict=True))
    of = FEATURES.index
    assert rows["i3"][of("own_share")] > rows["i5"][of("own_share")] > rows["i7"][of("own_share")] == 0.0
    assert rows["i5"][of("own_part")] > rows["i3"][of("own_part")] > 0.0  # the last basket of i3 isn't over
    assert [rows[item][of("bought_before")] for item in ("i3", "i5", "i7")] == [1.0, 1.0, 0.0]
    assert rows["i3"][of("due")] == 1.0  # every other day, and two days ago
    assert rows["i3"][of("just_bought")] > rows["i5"][of("just_bought")] > 0.0
    assert rows["i1"][of("category_share")] == rows["i5"][of("category_share")] > rows["i2"][of("category_share")] == 0
