"""What the catalog says of items reaches a slate by what the user touched last; where it says nothing, nothing does."""

import msgspec
import numpy as np
import pytest

from agents.candidates import NEW, Look
from agents.pairs import encoded_by, features
from policies.attention.prior import encoder_of
from policies.slates.recommend import FEATURES, SCALE
from policies.version import SHIPPED
from streams.profile import MAX_RECENT, TOUCHED, VISIT_GAP, Profile
from streams.records import CatalogItem, ItemStats, UserEvent
from streams.times import DAY, MINUTE, EventTime
from streams.topics import CATALOG, ITEM_STATS
from streams.views import FEW_SALES, Views

START = 1_483_228_800_000
LIKE = FEATURES.index("like_history")


def shop(*, said: bool, items: int = 300) -> Views:
    """Items in two lots that lie far apart; all as old, and none sold but the first 150."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(2, 16))
    known = Views()
    for n in range(items):
        near = (centres[n % 2] + 0.2 * rng.normal(size=16)).tolist()
        listed = CatalogItem(item_id=f"i{n}", category="all", embedding=near if said else None)
        known.apply(CATALOG, f"i{n}", listed, START)
    for n in range(150):
        known.apply(ITEM_STATS, f"i{n}", stats(f"i{n}", 20.0))
    return known


def stats(item: str, purchases: float) -> ItemStats:
    return ItemStats(
        item_id=item,
        as_of=EventTime(START),
        purchases_short=0.0,
        purchases_long=purchases,
        views_long=1.0,
        price=None,
        features={},
        companions=[],
    )


def touched(*items: str, kind: str = "view") -> Profile:
    profile = Profile()
    for n, item in enumerate(items):
        told = {"event_id": f"{n}", "user_id": "ann", "type": kind, "occurred_at": START + n * MINUTE, "item_id": item}
        profile.observe(msgspec.convert(told, UserEvent))
    return profile


def test_items_like_the_last_ones_stand_above_others() -> None:
    views = shop(said=True)
    look = Look(touched("i0", "i2", "i4"), views, START + 5 * MINUTE)
    (phi,) = encoded_by(
        encoder_of(SHIPPED),
        list(features([look.facts(views.table.rows(["i10", "i20", "i11", "i21", "never-listed"]))], views)),
    )
    found = phi[:, LIKE] / SCALE
    assert found[:2].min() > found[2:4].max()
    assert found[2:4].max() < 0.0
    assert found[4] == 0.0


def test_where_nothing_is_said_the_feature_is_nothing() -> None:
    views = shop(said=False)
    look = Look(touched("i0", "i2"), views, START + 5 * MINUTE)
    (phi,) = encoded_by(encoder_of(SHIPPED), list(features([look.facts(look.candidates())], views)))
    assert not phi[:, LIKE].any()


@pytest.mark.parametrize(("later", "counts"), [(VISIT_GAP, True), (VISIT_GAP + MINUTE, False)])
def test_it_counts_for_as_long_as_a_visit_lasts(later: int, *, counts: bool) -> None:
    views = shop(said=True)
    look = Look(touched("i0", "i2"), views, START + MINUTE + later)
    (phi,) = encoded_by(encoder_of(SHIPPED), list(features([look.facts(look.candidates())], views)))
    assert phi[:, LIKE].any() == counts


def test_new_items_like_the_last_ones_come_into_question() -> None:
    def new(profile: Profile, *, said: bool) -> list[str]:
        views = shop(said=said)
        names = views.table.names_of(Look(profile, views, START + 5 * MINUTE).candidates())
        return [name for name in names if int(name[1:]) >= 150]

    of_even = new(touched("i0", "i2", "i4"), said=True)
    assert sum(int(name[1:]) % 2 == 0 for name in of_even) >= NEW
    assert len(new(touched("i0", "i2", "i4"), said=False)) < len(of_even)


def test_an_item_is_young_until_it_sells_whatever_is_heard_first() -> None:
    said = CatalogItem(item_id="a", category="all", embedding=[1.0, 2.0])
    one, other = Views(), Views()
    one.apply(CATALOG, "a", said, START)
    one.apply(ITEM_STATS, "a", stats("a", FEW_SALES))
    other.apply(ITEM_STATS, "a", stats("a", FEW_SALES))
    other.apply(CATALOG, "a", said, START)
    assert len(one.young()[0]) == len(other.young()[0]) == 0
    one.apply(ITEM_STATS, "a", stats("a", FEW_SALES - 1))
    assert one.table.names_of(one.young()[0]) == ["a"]
    one.apply(CATALOG, "a", None)
    assert len(one.young()[0]) == 0


@pytest.mark.parametrize(("last", "kind"), [("view", 2), ("remove_from_cart", 0)])
def test_of_what_was_done_to_an_item_the_most_counts_unless_it_is_taken_back(last: str, kind: int) -> None:
    profile = touched("a", "b", kind="purchase")
    profile.observe(
        msgspec.convert(
            {"event_id": "x", "user_id": "ann", "type": last, "occurred_at": START + DAY, "item_id": "a"}, UserEvent
        )
    )
    assert profile.recent == ["b", "a"]
    assert [each & 3 for each in profile.touches()] == [TOUCHED["purchase"], kind]
    assert profile.touches()[-1] >> 2 == (START + DAY) // MINUTE


def test_a_profile_of_before_has_touches_for_all_its_items() -> None:
    profile = touched(*(f"i{n}" for n in range(20)))
    assert len(profile.recent) == len(profile.touched) == MAX_RECENT
    profile.touched = []
    assert len(profile.touches()) == MAX_RECENT
    views = shop(said=True)
    past = Look(profile, views, START + 20 * MINUTE).past
    assert past is not None
    assert len(past.ages) == MAX_RECENT
