"""One usable line of a log: the numbers that estimators need, of a decision or of each slot of a slate."""

from hashlib import blake2b
from typing import Final, NamedTuple, cast

import msgspec

from infra.ope.fields import (
    LeftOut,
    Line,
    action,
    as_number,
    as_numbers,
    decoded,
    number,
    propensity,
    table,
    target_propensity,
    text,
    weights,
)
from infra.ope.situation import Situation, distribution, situation

NONE: Final = float("nan")
_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")


class Row(NamedTuple):
    """`numbers` are reward, propensity, target propensity, q of the logged action and v of the target policy: each k
    of them; q and v are NaN without a reward model."""

    id: bytes  # 16 bytes: a hash of the decision's id
    content: bytes  # 8 bytes: a hash of the numbers and the situation
    cluster: bytes  # 8 bytes
    slots: int  # 0 for a decision, k for a slate of k
    modelled: bool
    untold: bool  # there is a reward model, but the target's value by it can't be told
    clustered: bool
    numbers: list[float]
    situation: Situation | None = None  # of a decision without a reward model


def row(raw: bytes, cluster_field: str | None) -> Row:
    """What the line says. Raises LeftOut."""
    line = decoded(raw)
    id_ = _id(line)
    if line.get("fallback") is True:
        raise LeftOut("fallback")
    slots, numbers = _slate(line) if isinstance(line.get("propensity"), list) else (0, _decision(line))
    cluster = text(line, cluster_field) if cluster_field else None
    modelled = numbers[-1] == numbers[-1]
    told = None if slots or modelled else situation(line)
    return Row(
        id=blake2b(id_, digest_size=16).digest(),
        content=blake2b(_ENCODER.encode((numbers, told)), digest_size=8).digest(),
        cluster=blake2b(id_ if cluster is None else b"c" + cluster, digest_size=8).digest(),
        slots=slots,
        modelled=modelled,
        untold=not modelled and line.get("reward_model") is not None,
        clustered=cluster is not None,
        numbers=numbers,
        situation=told,
    )


def _id(line: Line) -> bytes:
    id_ = text(line, "decision_id")
    if "propensity" not in line and "target_propensity" not in line and line.get("reward") is not None:
        raise LeftOut("reward-without-decision")
    if id_ is None:
        raise LeftOut("missing-decision-id")
    return id_


def _decision(line: Line) -> list[float]:
    p = propensity(number(line, "propensity"))
    pi = target_propensity(number(line, "target_propensity"))
    if line.get("reward") is None:
        raise LeftOut("immature")
    return [number(line, "reward"), p, pi, *_model(line, pi)]


def _slate(line: Line) -> tuple[int, list[float]]:
    p = [propensity(each) for each in as_numbers(line["propensity"], "propensity")]
    pi = [target_propensity(each) for each in as_numbers(line.get("target_propensity"), "target_propensity")]
    given: object = line.get("reward")
    if given is None or (isinstance(given, list) and None in cast("list[object]", given)):
        raise LeftOut("immature")
    rewards = as_numbers(cast(object, given), "reward")
    if not p or not len(p) == len(pi) == len(rewards):
        raise LeftOut("slots-differ-in-number")
    weights(p, pi)
    return len(p), [*rewards, *p, *pi, *_slate_model(line, len(p))]


def _slate_model(line: Line, slots: int) -> list[float]:
    """q and v of each slot, as two lists."""
    q, v = line.get("reward_model"), line.get("target_reward_model")
    if q is None or v is None:
        return [NONE] * (2 * slots)
    found = [*as_numbers(q, "reward_model"), *as_numbers(v, "target_reward_model")]
    if len(found) != 2 * slots:
        raise LeftOut("slots-differ-in-number")
    return found


def _model(line: Line, pi: float) -> tuple[float, float]:
    """q(x, a) and Σ_a π(a|x) q(x, a); NaN where they can't be told. Raises LeftOut where what is said can't be read."""
    given = line.get("reward_model")
    if given is None:
        return NONE, NONE
    if isinstance(given, list | dict):
        return _by_action(line, cast("list[object] | dict[str, object]", given), pi)
    q, v = as_number(given, "reward_model"), line.get("target_reward_model")
    if v is not None:
        return q, as_number(v, "target_reward_model")
    return (q, q) if pi >= 1 else (NONE, NONE)


def _by_action(line: Line, given: list[object] | dict[str, object], pi: float) -> tuple[float, float]:
    q, done = table(given, "reward_model"), action(line)
    if done is None or done not in q:
        raise LeftOut("action-not-in-reward-model")
    if line.get("target_distribution") is None:
        v = line.get("target_reward_model")
        return (q[done], as_number(v, "target_reward_model")) if v is not None else _left_no_choice(q, done, pi)
    told = table(line["target_distribution"], "target_distribution")
    if not told.keys() <= q.keys():
        raise LeftOut("target-distribution-not-in-reward-model")
    return q[done], sum(q[each] * chance for each, chance in distribution(told).items())


def _left_no_choice(q: dict[str, float], done: str, pi: float) -> tuple[float, float]:
    """What the target's one chance says of the others: all where it is 1, or where there are two actions."""
    if pi >= 1:
        return q[done], q[done]
    if len(q) != 2:
        return NONE, NONE
    return q[done], sum(value * (pi if each == done else 1 - pi) for each, value in q.items())
