"""The model as the page and the API show it, at one moment. No client, no template."""

from collections.abc import Mapping
from typing import Any, Final, cast

from infra.dashboard import attention, views
from infra.dashboard.following import Following
from infra.dashboard.model import ACTIONS, READ, Model
from infra.dashboard.policies import policies
from infra.dashboard.shop import ads, stock
from infra.dashboard.waits import Quantiles
from infra.measures.comparison import TRADEWIND

SPAN_S: Final = 300
_RATE_S: Final = 10
_STEP_MS: Final = 10_000
_STEPS: Final = 30

RULES: Final[Mapping[str, str]] = {
    TRADEWIND: "Tradewind",
    "decayed_personal": "fading habits + trend",
    "personal_frequency": "habits + popularity",
    "global_popularity": "popularity",
}


def overview(model: Model, following: Following, now: int) -> views.Overview:
    """Everything, at `now`: epoch ms of this machine's clock."""
    waits = model.waits.quantiles(now)
    notices = attention.notices(model, following, waits, now)
    return views.Overview(
        at=now,
        event_time=model.now,
        line=_line(model, following, notices, now),
        level=notices[0].level if notices else "good",
        notices=[views.NoticeView.model_validate(one) for one in notices],
        flow=_flow(model, following, waits, now),
        letters=_letters(model),
        recommendations=_recommendations(model),
        ads=ads(model),
        stock=stock(model),
        policy=policies(model.versions),
    )


def _line(model: Model, following: Following, notices: list[attention.Notice], now: int) -> str:
    if following.state == "away":
        return "The brokers don't answer"
    if following.state != "live":
        return f"Reading what happened before: {following.left:,} records to go" if following.left else "Starting"
    if notices:
        return "Needs a look" if notices[0].level == "warn" else "Something is wrong"
    acted = sum(sum(model.rings[topic.name].last(attention.QUIET_S, now)) for topic in ACTIONS)
    return "All is well" if acted else "All is quiet: nothing came in during the last minute"


def _flow(model: Model, following: Following, waits: Quantiles | None, now: int) -> views.Flow:
    # the second under way isn't over: it would make every rate look as if it fell
    ended = now - 1000
    return views.Flow(
        reading=following.state,
        told=following.told,
        left=following.left,
        topics=[
            views.TopicFlow(
                topic=topic.name,
                role=topic.role,
                total=model.totals[topic.name],
                per_second=sum(model.rings[topic.name].last(_RATE_S, ended)) / _RATE_S,
                last_minutes=model.rings[topic.name].last(SPAN_S - 1, ended),
            )
            for topic in READ
        ],
        wait=None if waits is None else views.Wait.model_validate(waits),
        waits=_waits(model, now),
        behind=[views.BehindView.model_validate(one) for one in following.behind],
        unreadable=model.unreadable,
        duplicates=model.duplicates,
    )


def _waits(model: Model, now: int) -> list[views.WaitStep]:
    series = model.waits.series(now, _STEPS, _STEP_MS)
    first = now // _STEP_MS * _STEP_MS - _STEP_MS * (_STEPS - 1)
    return [
        views.WaitStep(
            at=first + place * _STEP_MS, p50=one.p50 if one is not None else None, p99=one.p99 if one else None
        )
        for place, one in enumerate(series)
    ]


def _letters(model: Model) -> views.DeadLetters:
    letters = model.letters
    return views.DeadLetters(
        total=letters.total,
        by_reason=[
            views.LetterCount(topic=topic, reason=reason, count=count)
            for (topic, reason), count in letters.reasons.most_common()
        ],
        last=[views.LetterView.model_validate(one) for one in reversed(letters.last)],
    )


def _recommendations(model: Model) -> views.Recommendations:
    found = model.baskets.result()
    told = cast(Mapping[str, Mapping[str, float]], found["policies"] or {})
    rules = [_rule(name, told[name]) for name in RULES if name in told]
    over_time = cast(list[Mapping[str, Any]], found.get("over_time") or [])
    return views.Recommendations(
        baskets=int(found["baskets"]),
        why=found.get("why"),
        rules=rules,
        over_time=[
            views.Recalls(since=one["from"], baskets=one["baskets"], recall_at_10=one["recall_at_10"])
            for one in over_time
        ],
        users_judged=len(model.baskets.measure.households),
        rewards=[
            views.Rewarded(
                domain=domain,
                outcomes=kept.outcomes,
                positive=kept.positive,
                mean_reward=kept.total / kept.outcomes if kept.outcomes else None,
            )
            for domain, kept in model.entities.rewards.items()
        ],
    )


def _rule(name: str, told: Mapping[str, float]) -> views.Rule:
    return views.Rule(
        name=name,
        words=RULES[name],
        recall_at_10=told["recall_at_10"],
        ndcg_at_10=told["ndcg_at_10"],
        behind_tradewind_by=told.get("tradewind_ahead_by"),
        standard_error=told.get("standard_error"),
    )
