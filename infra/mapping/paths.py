"""Where a value lies in a message: a dotted path, read once and turned into a function.

properties.price            a field of a field
items[0].sku                an element by its number
params[key=price].value     the first element whose field `key` is `price`
"my.field".x                a name with dots in it
$.order_id                  from the top of the message, inside `each`
$each                       the element itself, inside `each`
$key, $timestamp            the message's key as text; the log's own timestamp, epoch ms
$place                      topic-partition-offset, and the element's number inside `each`: unique, and stays so
$header.ce_time             a header of the message, as text
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]+)"|(?P<name>[^.\[\]"\s$][^.\[\]"]*)|\[(?P<number>\d{1,6})\]'
    r"|\[(?P<field>[^\]=\[\"]+)=(?P<wanted>[^\]]*)\]"
)
_NAMES: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_SPECIAL: Final = ("$key", "$timestamp", "$place", "$each")


class Arrived(NamedTuple):
    """A message as it came in, its value read as JSON."""

    root: Any
    key: bytes | None
    timestamp: int
    place: str
    headers: Sequence[tuple[str, bytes]] = ()


class Scope(NamedTuple):
    """What a path is read in: the message, the part of it in hand, and the numbers of the elements on the way."""

    here: Any
    message: Arrived
    number: str = ""


Getter = Callable[[Scope], Any]  # None where nothing is
_Step = Callable[[Any], Any]


class BadPath(ValueError):  # noqa: N818 # named for what it is
    """A path that can't be read."""


def getter(path: str) -> Getter:
    """What finds a path's value. Raises BadPath.

    >>> scope = Scope({"a": [{"b": 1}]}, Arrived(None, b"k", 7, "t-0-1"))
    >>> getter("a[0].b")(scope), getter("a[0].c")(scope), getter("$key")(scope)
    (1, None, 'k')
    """
    if path in _SPECIAL:
        return _special(path)
    if path.startswith("$header."):
        return _header(path.removeprefix("$header."))
    from_top = path.startswith("$.")
    if _NAMES.fullmatch(path.removeprefix("$.")):
        return _named(path.removeprefix("$.").split("."), from_top=from_top)
    steps = _steps(path.removeprefix("$."))

    def find(scope: Scope) -> Any:
        value = scope.message.root if from_top else scope.here
        for step in steps:
            value = step(value)
            if value is None:
                return None
        return value

    return find


def _named(names: list[str], *, from_top: bool) -> Getter:
    """Nearly every path: names and dots, and nothing else."""

    def find(scope: Scope) -> Any:
        value: Any = scope.message.root if from_top else scope.here
        for name in names:
            if value.__class__ is not dict:
                return None
            value = value.get(name)
        return value

    return find


def _steps(path: str) -> list[_Step]:
    steps: list[_Step] = []
    at = 0
    while at < len(path):
        token = _TOKEN.match(path, at)
        if token is None or (token.start() > 0 and path[token.start() - 1] != "." and path[token.start()] != "["):
            raise BadPath(f"{path!r} is no path: it breaks at {path[at:][:20]!r}")
        steps.append(_step(token))
        at = token.end()
        if at < len(path) and path[at] == ".":
            at += 1
            if at == len(path) or path[at] == "[":
                raise BadPath(f"{path!r} is no path: a name must follow the dot")
    if not steps:
        raise BadPath("a path is empty")
    return steps


def _step(token: re.Match[str]) -> _Step:
    found = token.groupdict()
    if found["number"] is not None:
        return _element(int(found["number"]))
    if found["field"] is not None:
        return _selected(found["field"], found["wanted"])
    return _member(found["quoted"] or found["name"])


def _member(name: str) -> _Step:
    return lambda value: cast(dict[str, Any], value).get(name) if isinstance(value, dict) else None


def _element(number: int) -> _Step:
    def take(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        rows = cast(list[Any], value)
        return rows[number] if number < len(rows) else None

    return take


def _selected(field: str, wanted: str) -> _Step:
    def take(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        for row in cast(list[Any], value):
            if isinstance(row, dict) and as_text(cast(dict[str, Any], row).get(field)) == wanted:
                return cast(Any, row)
        return None

    return take


def _special(path: str) -> Getter:
    match path:
        case "$key":
            return lambda scope: _decoded(scope.message.key)
        case "$timestamp":
            return lambda scope: scope.message.timestamp
        case "$place":
            return lambda scope: scope.message.place + scope.number
        case _:
            return lambda scope: scope.here


def _header(name: str) -> Getter:
    def find(scope: Scope) -> str | None:
        return next((_decoded(value) for given, value in scope.message.headers if given == name), None)

    return find


def _decoded(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")


def as_text(value: Any) -> str | None:
    """A plain value as text, to be compared with what a person wrote; None for what isn't one.

    >>> as_text(True), as_text(1.0), as_text("a"), as_text([])
    ('true', '1', 'a', None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None
