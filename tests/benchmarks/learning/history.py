"""What attention over a user's history is worth to the slates that are served: with what the catalog says, and without.

    python -m tests.benchmarks.learning.history [--seeds N] [--first SEED] [--journey HOUSEHOLDS] [--cost]

The live agents run over logs in which nobody sees the slates: drawn shops (policies/tasks/tastes.py) of seeds that no
training has met, and, with `--journey`, Complete Journey households. A slate of ten is asked for where a visit begins,
and again before its first purchase; it is judged against what the visit then buys. "Without" is the same catalog with
neither embeddings nor attributes. The cold are users in their first two visits; the new are purchases of items that
fewer than five had bought. Everything is paired: the same log, the same questions. Figures over shops are means with
their standard error; those of Complete Journey are over baskets, and the strongest plain rule's stand beside them.
`--cost` tells the processor time of a slate.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import log2
from typing import Final

import msgspec
import numpy as np

from agents.learner import AT_LEAST, LearnerAgent
from infra.demo.cache import load
from infra.demo.journey import Subset
from infra.evaluate.shop_log import FEW, K, Log, Question, log_of, played
from infra.history.message import Message
from infra.serving.tuning import settle
from policies.attention.encoder import HISTORY, ONE, History, Tokens, lifts, shipped
from policies.attention.prior import DOMAIN as HISTORIES
from policies.baselines.next_basket import DecayedPersonal
from policies.tasks.tastes import TasteShop, draw_shop
from policies.version import SHIPPED, PolicyVersion
from streams.item_tokens import SIZE
from streams.records import CatalogItem, Recommendation, UserEvent
from streams.topics import RECOMMENDATIONS
from tests.benchmarks.engine.making import events_of

UNSEEN: Final = 9_000_000  # seeds from here on draw shops that no training has met
WARM: Final = 0.3  # of a log's span that is not judged
NEVER: Final = 10**9  # experiences before a domain learns


def journey_log(households: int) -> Log:
    """Complete Journey: the slate is asked for a minute before the basket."""
    journey = load(Subset(households=households))
    events = events_of(journey)
    sold = Counter[str]()
    visits = Counter[str]()
    questions: list[Question] = []
    asked: dict[str, UserEvent] = {}
    begins = events[0].occurred_at + WARM * (events[-1].occurred_at - events[0].occurred_at)
    bought: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.type == "request":
            visits[event.user_id] += 1
            asked[event.user_id] = event
        elif event.type == "purchase" and event.item_id is not None:
            bought[asked[event.user_id].event_id].append(event.item_id)
            sold[event.item_id] += 1
    sold.clear()
    for event in events:
        if event.type == "purchase" and event.item_id is not None:
            sold[event.item_id] += 1
        elif event.event_id in bought and event.occurred_at >= begins:
            wanted = tuple(dict.fromkeys(bought[event.event_id]))
            questions.append(
                Question(event.event_id, wanted, tuple(one for one in wanted if sold[one] < FEW), ("begins",))
            )
    return Log([(int(events[0].occurred_at), item) for item in journey.catalog_items()], events, questions)


def bare(item: CatalogItem) -> CatalogItem:
    """The item without what a token is made from."""
    return msgspec.structs.replace(item, attributes={}, embedding=None)


def served(log: Log, *, said: bool, learner: bool = False) -> dict[str, list[str]]:
    """The slates that the live agents make, by the event that asked."""
    found: dict[str, list[str]] = {}
    for made in outputs(log, said=said, learner=learner):
        if made.topic is RECOMMENDATIONS and made.value is not None:
            one = msgspec.json.decode(made.value, type=Recommendation)
            found[one.event_id] = [item.item_id for item in one.items]
    return found


def outputs(log: Log, *, said: bool, learner: bool = False, policy: PolicyVersion = SHIPPED) -> Iterator[Message]:
    """All that the live agents put out; with the `learner`, its versions of the encoder too."""
    told = log if said else log._replace(catalog=[(at, bare(item)) for at, item in log.catalog])
    never = dict.fromkeys(AT_LEAST, NEVER) | {HISTORIES: AT_LEAST[HISTORIES]}
    return played(told, policy=policy, learner=LearnerAgent(at_least=never) if learner else None)


def plain(log: Log) -> dict[str, list[str]]:
    """The slates of the strongest plain rule on the demo's data: it hears of a basket when its last item is bought."""
    rule = DecayedPersonal()
    asked: dict[str, str] = {}
    baskets: dict[str, list[UserEvent]] = defaultdict(list)
    for event in log.events:
        if event.type == "request":
            asked[event.user_id] = event.event_id
        elif event.type == "purchase":
            baskets[asked[event.user_id]].append(event)
    ends = {basket[-1].event_id: basket for basket in baskets.values()}
    found: dict[str, list[str]] = {}
    for event in log.events:
        if event.type == "request":
            found[event.event_id] = rule.predict(event.user_id, int(event.occurred_at), K)
        elif (basket := ends.get(event.event_id)) is not None:
            items = dict.fromkeys(str(one.item_id) for one in basket)
            rule.observe(event.user_id, list(items), int(event.occurred_at))
    return found


Scores = dict[str, dict[str, float]]
Way = Callable[[Log], dict[str, list[str]]]  # slates by the event that asked


def judged(questions: Iterable[Question], slates: dict[str, list[str]]) -> Scores:
    """Recall and nDCG at ten by where it was asked, and recall of what was new."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in questions:
        slate = slates[one.event_id]
        for where in one.where:
            of = found[where]
            of["recall"].append(len(set(slate) & set(one.wanted)) / len(set(one.wanted)))
            gain = sum(1.0 / log2(2 + place) for place, item in enumerate(slate) if item in one.wanted)
            of["ndcg"].append(gain / sum(1.0 / log2(2 + place) for place in range(min(K, len(set(one.wanted))))))
            if one.new:
                of["recall of new"].append(len(set(slate) & set(one.new)) / len(set(one.new)))
    return {where: {name: float(np.mean(each)) for name, each in of.items()} for where, of in found.items()}


def show(title: str, runs: Sequence[tuple[Scores, Scores]], names: tuple[str, str] = ("without", "with")) -> None:
    """A line a measure: without, with, and by how much more, each with its standard error over the runs."""
    print(f"\n{title}\n{'asked where':16} {'measure':14} {names[0]:>8} {names[1]:>8} {'more':>8}   s.e.   worst   best")
    keys = dict.fromkeys((where, name) for one, _ in runs for where, of in one.items() for name in of)
    for where, name in keys:
        pairs = np.array([(a[where][name], b[where][name]) for a, b in runs if name in a.get(where, {})])
        more = pairs[:, 1] - pairs[:, 0]
        error = more.std(ddof=1) / np.sqrt(len(more)) if len(more) > 1 else float("nan")
        before, after = pairs.mean(axis=0).tolist()
        spread = f"{error:6.4f} {more.min():+7.4f} {more.max():+7.4f}"
        print(f"{where:16} {name:14} {before:8.4f} {after:8.4f} {more.mean():+8.4f} {spread}")


def shops(seeds: int, first: int) -> Iterator[TasteShop]:
    """So many shops of seeds that no training has met, none too large."""
    seed = UNSEEN + first
    while seeds:
        shop = draw_shop(seed)
        if log_of(shop) is not None:
            seeds -= 1
            yield shop
        seed += 1


def cost(log: Log, repeats: int = 5) -> None:
    """Processor time, paired: of a lift, of choosing, and of all that a request takes, with and without."""
    rng = np.random.default_rng(1)

    def some(count: int) -> Tokens:
        return np.rint(rng.uniform(-ONE / 4, ONE / 4, (count, SIZE))).astype(np.float32)

    histories = [History(some(HISTORY), rng.random(HISTORY), rng.integers(0, 4, HISTORY)) for _ in range(256)]
    items = [some(100) for _ in histories]
    lifted, wholes = list[float](), list[tuple[float, float]]()
    for _ in range(repeats):
        lifted.append(_seconds(lambda: lifts(shipped(), histories, items)) / len(histories))
        without, with_it = (_seconds(lambda said=said: served(log, said=said)) for said in (False, True))
        wholes.append((without / len(log.events), with_it / len(log.events)))
    before, after = (1e6 * np.median(np.array(wholes), axis=0)).tolist()
    print(f"lifts of 100 items, 256 users at once: {1e6 * float(np.median(lifted)):.1f} µs a slate")
    print(f"an event of Complete Journey, items agent included: {before:.1f} µs without, {after:.1f} µs with")
    asks = sum(event.type == "request" for event in log.events)
    more = np.array([(b - a) * len(log.events) / asks for a, b in wholes]) * 1e6
    print(f"that is {np.median(more):.1f} µs a slate more ({more.min():.1f} … {more.max():.1f}), fifty events a batch")


def _seconds(run: Callable[[], object]) -> float:
    before = time.process_time()
    run()
    return time.process_time() - before


def on_shops(seeds: int, first: int, ways: Sequence[Way], names: tuple[str, str] = ("without", "with")) -> None:
    """Two ways to serve the same drawn shops, side by side."""
    runs: list[tuple[Scores, Scores]] = []
    for shop in shops(seeds, first):
        log = log_of(shop)
        if log is None:
            continue
        before, after = (judged(log.questions, way(log)) for way in ways)
        runs.append((before, after))
        print(
            f"shop {shop.seed - UNSEEN}: {shop.items} items, embeddings of {shop.embedding.shape[1]}, "
            f"attributes {'yes' if shop.attributes[0] else 'no'}, {len(log.events)} events, "
            f"nDCG {before['within']['ndcg']:.4f} → {after['within']['ndcg']:.4f}",
            flush=True,
        )
    if runs:
        show(f"{len(runs)} drawn shops, slates of {K}", runs, names)


def on_journey(households: int) -> None:
    log = journey_log(households)
    without, with_it = (judged(log.questions, served(log, said=said)) for said in (False, True))
    show(f"Complete Journey, {households} households, {len(log.questions)} baskets", [(without, with_it)])
    told = judged(log.questions, plain(log))["begins"]
    print("decayed personal counts + one-day trend: " + ", ".join(f"{name} {x:.4f}" for name, x in told.items()))


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--seeds", type=int, default=8, help="drawn shops")
    given.add_argument("--first", type=int, default=0, help="the seed of the first one, among the unseen")
    given.add_argument("--cost", action="store_true", help="tell the processor time of a slate instead")
    given.add_argument("--journey", type=int, default=0, help="households of Complete Journey; 0: none")
    asked = given.parse_args()
    settle()
    if asked.cost:
        cost(journey_log(asked.journey or 12))
        return
    began = time.process_time()
    on_shops(asked.seeds, asked.first, [partial(served, said=said) for said in (False, True)])
    if asked.journey:
        on_journey(asked.journey)
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
