"""One usable line of a log: the numbers that estimators need, of a decision or of each slot of a slate."""

from hashlib import blake2b
from typing import Final, NamedTuple, cast

import msgspec

from infra.ope.fields import (
    LeftOut,
    Line,
    as_number,
    as_numbers,
    decoded,
    number,
    propensity,
    table,
    target_propensity,
    text,
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
    return [number(line, "reward"), p, pi, *_model(line)]


def _slate(line: Line) -> tuple[int, list[float]]:
    p = [propensity(each) for each in as_numbers(line["propensity"], "propensity")]
    pi = [target_propensity(each) for each in as_numbers(line.get("target_propensity"), "target_propensity")]
    given: object = line.get("reward")
    if given is None or (isinstance(given, list) and None in cast("list[object]", given)):
        raise LeftOut("immature")
    rewards = as_numbers(cast(object, given), "reward")
    if not p or not len(p) == len(pi) == len(rewards):
        raise LeftOut("slots-differ-in-number")
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


def _model(line: Line) -> tuple[float, float]:
    """q(x, a) and Σ_a π(a|x) q(x, a); NaN where there is no reward model. Raises LeftOut where it can't be read."""
    given = line.get("reward_model")
    if given is None:
        return NONE, NONE
    if not isinstance(given, list | dict):
        v = line.get("target_reward_model")
        q = as_number(given, "reward_model")
        return (NONE, NONE) if v is None else (q, as_number(v, "target_reward_model"))
    return _by_action(line, cast("list[object] | dict[str, object]", given))


def _by_action(line: Line, given: list[object] | dict[str, object]) -> tuple[float, float]:
    q = table(given, "reward_model")
    action = line.get("action")
    key = str(action) if isinstance(action, int | str) and not isinstance(action, bool) else None
    if key is None or key not in q:
        raise LeftOut("action-not-in-reward-model")
    told = table(line.get("target_distribution"), "target_distribution")
    if not told.keys() <= q.keys():
        raise LeftOut("target-distribution-not-in-reward-model")
    pi = distribution(told)
    return q[key], sum(q[each] * chance for each, chance in pi.items())
