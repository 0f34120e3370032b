"""What the live slates lack beside the evaluated next-basket rule, part by part; and what exploring costs and earns.

    python -m tests.benchmarks.learning.gap [--journey HOUSEHOLDS] [--without HOUSEHOLDS] [--seeds N] [--first SEED]
        [--precision P] [--temperature T]

The live agents run over Complete Journey households, or over drawn shops, as in `history`. Of each slate that is judged
the log tells candidates, features and belief, so that the same candidates can be ranked in other ways: by the belief
and by the prior without chance, and by the network of `tradewind evaluate next-basket` as it ships, which has learned
from the first 60% of the year. Figures are recall at ten; of drawn shops where a visit begins, and within it before its
first purchase; several shops are summed up with their standard error.

What exploring is for is told by how well these slates judge another version, whose weights on what the user bought and
on what everyone buys differ by a third or so: the effective sample size by slot as a share of the slates, and the
probability mass that whole slates of both versions have in common. `--precision` gives all weights the same one, in
place of those that ship.
"""

# ruff: noqa: T201 # run by hand: what it prints is what it is for

import argparse
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np
import orjson

from infra.demo.cache import load
from infra.demo.journey import Subset
from infra.evaluate.shop_log import K, Log, Question, log_of
from infra.serving.tuning import settle
from policies.baskets.encoder import forward
from policies.baskets.features import Level, features
from policies.baskets.next_basket import shipped
from policies.baskets.shop import Shop
from policies.linalg import Floats
from policies.slates.evidence import Evidence, GaussianPrior
from policies.slates.likelihood import likelihood
from policies.slates.recommend import DOMAIN, FEATURES, prior_of, query
from policies.slates.slate import BLOCK, Ints, Query, drawn
from policies.version import SHIPPED, PolicyVersion, Priors
from streams.records import UserEvent
from streams.times import HOUR
from streams.topics import DECISIONS
from tests.benchmarks.learning.history import journey_log, judged, outputs, plain, shops

OTHER: Final = {"own_share": 0.6, "own_part": 0.4, "trending_share": 0.8, "popular_share": 0.3}


class Slate(NamedTuple):
    """A judged slate as it was logged: `chosen` are places among the candidates."""

    asked: Question
    user: str
    candidates: list[str]
    query: Query
    chosen: list[int]
    slots: list[float]  # propensities

    def recall(self, order: Ints) -> float:
        """Of what was bought then, the share that stands among the first ten places."""
        named = {self.candidates[place] for place in cast(list[int], order[:K].tolist())}
        return len(named & self.wanted) / len(self.wanted)

    @property
    def wanted(self) -> set[str]:
        return set(self.asked.wanted)


def slates(log: Log, policy: PolicyVersion, without: Collection[str]) -> Iterator[Slate]:
    """Those that are judged, in order of time, but for those of some users."""
    questions = {one.event_id: one for one in log.questions}
    for made in outputs(log, said=True, policy=policy):
        if made.topic is not DECISIONS or made.value is None:
            continue
        told: dict[str, Any] = orjson.loads(made.value)
        asked = questions.get(told["event_ids"][0])
        if asked is None or told["entity"] in without or not told["candidates"]:
            continue
        place = {name: at for at, name in enumerate(told["candidates"])}
        known, belief = told["features"], told["features"]["belief"]
        evidence = Evidence(
            upper=np.array(belief.get("precision_upper", ())).tobytes(),
            shift=np.array(belief.get("shift", ())).tobytes(),
        )
        phi = np.array(known["phi"], dtype=np.int64)
        yield Slate(
            asked,
            told["entity"],
            told["candidates"],
            query(phi, evidence, int(told["seed"]), len(told["chosen"])),
            [place[name] for name in told["chosen"]],
            told["slot_propensities"],
        )


def ranked(scores: Floats) -> Ints:
    """Places by score, the highest first, of equal ones the first."""
    return np.argsort(-scores, kind="stable")


def believed(one: Slate, prior: GaussianPrior) -> Floats:
    """The mean of the weights, as they were believed of this user: [d]."""
    pull: Floats = prior.precision @ prior.mean + one.query.shift
    return cast(Floats, np.linalg.solve(prior.precision + one.query.precision, pull))


def parts(found: Sequence[Slate], prior: GaussianPrior) -> dict[str, list[float]]:
    """Recall of the same candidates, ranked in several ways."""
    scores: dict[str, list[float]] = defaultdict(list)
    for one in found:
        phi = one.query.phi
        hits = len(one.wanted.intersection(one.candidates))
        scores["as served"].append(one.recall(np.array(one.chosen)))
        scores["by the belief, without chance"].append(one.recall(ranked(phi @ believed(one, prior))))
        scores["by the prior, without chance"].append(one.recall(ranked(phi @ prior.mean)))
        scores["ceiling of these candidates"].append(min(K, hits) / len(one.wanted))
    return scores


def networked(log: Log, found: Sequence[Slate]) -> dict[str, list[float]]:
    """Recall by the network that ships: of the same candidates, and of its own."""
    asked = {one.asked.event_id: one for one in found}
    shop, weights = Shop(kinds=_kinds(log)), shipped()
    ends = _baskets(log)
    scores: dict[str, list[float]] = defaultdict(list)
    for event in log.events:
        now = int(event.occurred_at)
        if (one := asked.get(event.event_id)) is not None:
            buyer, ids = shop.buyer(event.user_id), shop.number(one.candidates)
            together, _ = shop.companions.scores(buyer.items.latest, shop.trend.known)
            items = Level(profile=buyer.items, trend=shop.trend)
            kinds = Level(profile=buyer.kinds, trend=shop.kind_trend)
            kind_of = shop._kind_of  # pyright: ignore[reportPrivateUsage] # as `ask` does, of other candidates
            same = features(items, ids, together[ids], now, kinds, kind_of[ids])
            scores["by the network"].append(one.recall(ranked(forward(weights, same).scores)))
            own = shop.ask(buyer, now)
            best = own.ids[ranked(forward(weights, own.phi).scores)[:K]].tolist()
            hits = one.wanted & {shop.items.names[item] for item in best}
            scores["by the network, of its own candidates"].append(len(hits) / len(one.wanted))
        elif (basket := ends.get(event.event_id)) is not None:
            shop.observe(event.user_id, list(dict.fromkeys(str(each.item_id) for each in basket)), now)
    return scores


def _kinds(log: Log) -> dict[str, str]:
    return {item.item_id: str(item.attributes.get("product_type") or item.category) for _, item in log.catalog}


def _baskets(log: Log) -> dict[str, list[UserEvent]]:
    """Each user's purchases less than an hour apart, by the event that ends them."""
    under_way: dict[str, list[UserEvent]] = {}
    done: list[list[UserEvent]] = []
    for event in log.events:
        if event.type != "purchase":
            continue
        before = under_way.get(event.user_id)
        if before is None or event.occurred_at - before[-1].occurred_at > HOUR:
            before = under_way[event.user_id] = []
            done.append(before)
        before.append(event)
    return {basket[-1].event_id: basket for basket in done}


def overlap(found: Sequence[Slate], prior: GaussianPrior, temperature: float) -> dict[str, float]:
    """Of judging another version: the effective share by slot, on average, and the mass that whole slates share."""
    mean = np.array([OTHER.get(name, x) for name, x in zip(FEATURES, prior.mean.tolist(), strict=True)])
    other = GaussianPrior(mean, prior.precision, prior.noise, prior.width)
    full = [one for one in found if len(one.chosen) == K]
    ratios: list[Floats] = []
    for begin in range(0, len(full), BLOCK):
        block = full[begin : begin + BLOCK]
        logits = drawn([one.query for one in block], other, temperature).logits
        chosen = np.array([one.chosen for one in block], dtype=np.int64)
        likely, _ = likelihood(logits, chosen, np.zeros(logits.shape[1:]))
        ratios.append(likely / np.array([one.slots for one in block]))
    each = np.concatenate(ratios)
    by_slot = float(np.mean([_share(each[:, slot]) for slot in range(K)]))
    common = float(np.minimum(1.0, each.prod(axis=1)).mean())
    return {"effective share, by slot": by_slot, "in common, of whole slates": common}


def _share(weights: Floats) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def real(log: Log, policy: PolicyVersion, without: Collection[str], title: str) -> None:
    """Complete Journey."""
    prior, temperature = prior_of(policy)
    found = list(slates(log, policy, without))
    rule = judged([one.asked for one in found], plain(log))
    told = _means(parts(found, prior)) | _means(networked(log, found))
    told["by the strongest plain rule"] = rule["begins"]["recall"]
    told |= overlap(found, prior, temperature)
    print(f"\n{title}, {len(found)} slates")
    for name, each in told.items():
        print(f"  {name:40} {each:.4f}")


def drawn_shops(seeds: int, first: int, policy: PolicyVersion) -> None:
    """Means over shops, and their standard errors."""
    prior, temperature = prior_of(policy)
    runs: list[dict[str, float]] = []
    for shop in shops(seeds, first):
        if (log := log_of(shop)) is None:
            continue
        found = list(slates(log, policy, ()))
        run: dict[str, float] = {}
        for where in ("begins", "within"):
            there = [one for one in found if where in one.asked.where]
            told = _means(parts(there, prior)) | overlap(there, prior, temperature)
            run |= {f"{where}: {name}": each for name, each in told.items()}
        runs.append(run)
    print(f"\n{len(runs)} drawn shops")
    for name in runs[0]:
        each = np.array([run[name] for run in runs])
        error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else float("nan")
        print(f"  {name:48} {each.mean():.4f} ± {error:.4f}")


def _means(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: float(np.mean(each)) for name, each in scores.items()}


def first(count: int) -> set[str]:
    """The first households of Complete Journey, in the order in which subsets grow."""
    return set(cast(list[str], load(Subset(households=count)).households.tolist())) if count else set()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--journey", type=int, default=0, help="households of Complete Journey; 0: none")
    given.add_argument("--without", type=int, default=0, help="the first so many of them aren't judged")
    given.add_argument("--seeds", type=int, default=0, help="drawn shops")
    given.add_argument("--first", type=int, default=400, help="the seed of the first one, among the unseen")
    given.add_argument("--precision", type=float, help="of every weight")
    given.add_argument("--temperature", type=float)
    asked = given.parse_args()
    settle()
    changed: Priors = {}
    if asked.precision:
        changed["precision"] = (asked.precision * np.eye(len(FEATURES))).tolist()
    if asked.temperature:
        changed["temperature"] = asked.temperature
    policy = PolicyVersion(number=1, parent=0, priors={DOMAIN: changed}) if changed else SHIPPED
    if asked.journey:
        title = f"Complete Journey, {asked.journey - asked.without} of {asked.journey} households"
        real(journey_log(asked.journey), policy, first(asked.without), title)
    if asked.seeds:
        drawn_shops(asked.seeds, asked.first, policy)


if __name__ == "__main__":
    main()
