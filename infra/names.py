"""What topics are called on the cluster: ours by a prefix or a name of their own, a shop's own as they are."""

import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

import orjson

from streams.topics import BY_NAME

FOREIGN: Final = "from:"  # before the name of a topic that is the shop's: no topic of a cluster can be called so
_VALID: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")

Names = dict[str, str]


def cluster_name(name: str, prefix: str, names: Mapping[str, str]) -> str:
    """What a topic is called on the cluster.

    >>> cluster_name("from:shop.events", "eu.", {})
    'shop.events'
    """
    if name.startswith(FOREIGN):
        return name.removeprefix(FOREIGN)
    return names.get(name) or prefix + name


def names_of(given: object) -> Names:
    """Names of single topics, from a table or from text: `user-events=shop.clicks,orders=shop.orders`, or JSON.

    Raises ValueError, for a person.

    >>> names_of("user-events=shop.clicks, orders=shop.orders")
    {'user-events': 'shop.clicks', 'orders': 'shop.orders'}
    """
    table = _table(given)
    for ours, theirs in table.items():
        if ours not in BY_NAME:
            raise ValueError(f"there is no topic {ours!r}{did_you_mean(ours, BY_NAME)}")
        if not isinstance(theirs, str) or not is_name(theirs):
            raise ValueError(f"{theirs!r} can't be the name of a topic: letters, digits, dot, dash, underscore")
    names = cast(Names, table)
    for theirs, count in Counter(names.values()).items():
        if count > 1:
            raise ValueError(
                f"{theirs!r} is named for {count} topics: to have one topic of yours feed several, leave it out here, "
                "and name it in the mapping: from = ..."
            )
    return names


def check_apart(prefix: str, names: Mapping[str, str]) -> None:
    """Raise ValueError where two topics of ours would be one on the cluster.

    >>> check_apart("", {"user-events": "orders"})
    Traceback (most recent call last):
    ...
    ValueError: TRADEWIND_TOPICS: 'orders' would be two topics at once, user-events and orders: name one of them anew
    """
    taken: dict[str, str] = {}
    for ours in BY_NAME:
        theirs = cluster_name(ours, prefix, names)
        if theirs in taken:
            raise ValueError(
                f"TRADEWIND_TOPICS: {theirs!r} would be two topics at once, {taken[theirs]} and {ours}: "
                "name one of them anew"
            )
        taken[theirs] = ours


def is_name(text: str) -> bool:
    """Whether a topic may be called so.

    >>> is_name("shop.clicks.v2"), is_name("a b"), is_name("..")
    (True, False, False)
    """
    return _VALID.fullmatch(text) is not None and text not in {".", ".."}


def did_you_mean(word: str, known: Any) -> str:
    """The rest of a sentence that says which word may have been meant, or which there are.

    >>> did_you_mean("user-event", ["user-events", "orders"])
    ': did you mean user-events?'
    """
    names = [str(name) for name in known]
    if close := get_close_matches(word, names, n=1, cutoff=0.6):
        return f": did you mean {close[0]}?"
    return f": there are {', '.join(names)}"


def _table(given: object) -> dict[str, Any]:
    if isinstance(given, str):
        text = given.strip()
        return _json(text) if text.startswith("{") else dict(_pair(part) for part in text.split(",") if part.strip())
    if isinstance(given, dict):
        return {str(name): value for name, value in cast(dict[Any, Any], given).items()}
    raise ValueError("it is a table, or text like user-events=shop.clicks,orders=shop.orders")  # pydantic's


def _json(text: str) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is no JSON object: {error}") from error


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals:
        raise ValueError(f"{text.strip()!r} is not NAME=NAME")
    return ours.strip(), theirs.strip()
