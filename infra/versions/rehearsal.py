"""Drawn shops served by the live agents: what the prior over slates is trained on."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import orjson

from infra.evaluate.shop_log import Log, basket_log, log_of, played
from policies.linalg import Floats
from policies.meta.sample import Ring, Stream
from policies.slates.recommend import DOMAIN, FEATURES
from policies.slates.training import Played, Shop
from policies.tasks.tastes import TasteShop
from policies.version import PolicyVersion, Priors
from streams.records import Experience, Recommendation
from streams.topics import DECISIONS, EXPERIENCES, RECOMMENDATIONS


def rehearse(shop: Shop, prior: Priors) -> Played | None:
    """A shop's slates under a prior; None where the shop is too small or too large."""
    log = log_of(shop) if isinstance(shop, TasteShop) else basket_log(*shop)
    if log is None:
        return None
    heard: list[Experience] = []
    slates: dict[str, list[str]] = {}
    spread: list[Floats] = []
    for made in played(log, policy=PolicyVersion(number=1, parent=0, priors={DOMAIN: prior}, shipped="")):
        if made.value is None:
            continue
        if made.topic is EXPERIENCES:
            heard.append(msgspec.json.decode(made.value, type=Experience))
        elif made.topic is RECOMMENDATIONS:
            slate = msgspec.json.decode(made.value, type=Recommendation)
            slates[slate.event_id] = [item.item_id for item in slate.items]
        elif made.topic is DECISIONS:
            told: dict[str, Any] = orjson.loads(made.value)
            if len(told["candidates"]) > 1:
                spread.append((np.array(told["features"]["phi"]) / told["features"]["unit"]).var(axis=0))
    variance = np.mean(spread, axis=0) if spread else np.zeros(len(FEATURES))
    return Played(streams_of(heard), variance, _recall(log, slates))


def streams_of(heard: Iterable[Experience]) -> list[Stream]:
    """What a learner keeps of each user's slates, in order of their names."""
    rings = defaultdict[str, Ring](Ring)
    for one in heard:
        if one.domain == DOMAIN:
            rings[one.entity].add(int(one.occurred_at), one.contexts, one.outcomes, one.propensities)
    return [ring.episodes() for _, ring in sorted(rings.items())]


def _recall(log: Log, slates: dict[str, list[str]]) -> float:
    """The mean share of what a visit bought that the slate asked for held."""
    shares = [len(set(slates[one.event_id]) & set(one.wanted)) / len(set(one.wanted)) for one in log.questions]
    return float(np.mean(shares)) if shares else 0.0
