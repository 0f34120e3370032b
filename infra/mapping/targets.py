"""What the fields of our records want, looked up in the record types."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import inspect

from infra.mapping.values import Kind
from streams.times import EventTime

_KINDS: Final[dict[type[inspect.Type], Kind]] = {
    inspect.StrType: "text",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.LiteralType: "choice",
    inspect.DictType: "object",
    inspect.StructType: "object",
    inspect.ListType: "list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One field: its kind, the values that a choice has, and the fields inside an object or a list's elements."""

    name: str
    kind: Kind
    required: bool
    choices: tuple[str, ...] = ()
    inside: "dict[str, Target]" = field(default_factory=dict[str, "Target"])
    element: Kind | None = None
    type: Any = None


@cache
def targets_of(record: type[Any]) -> dict[str, Target]:
    """The fields of a record, by name.

    >>> from streams.records import UserEvent
    >>> targets_of(UserEvent)["price"].kind, targets_of(UserEvent)["occurred_at"].kind
    ('number', 'time')
    """
    hints = get_type_hints(record)
    plain = get_type_hints(record, include_extras=True)
    told: Any = inspect.type_info(record)
    return {one.name: _target(one, hints[one.name], plain[one.name]) for one in told.fields}


def _target(one: inspect.Field, hint: Any, full: Any) -> Target:
    kind = _bare(one.type)
    item = _bare(kind.item_type) if isinstance(kind, inspect.ListType) else None
    struct = kind if isinstance(kind, inspect.StructType) else item
    return Target(
        name=one.name,
        kind="time" if hint is EventTime else _KINDS.get(type(kind), "object"),
        required=one.required,
        choices=tuple(map(str, kind.values)) if isinstance(kind, inspect.LiteralType) else (),
        inside=targets_of(struct.cls) if isinstance(struct, inspect.StructType) else {},
        element=None if item is None else _KINDS.get(type(item), "object"),
        type=full,
    )


def _bare(kind: inspect.Type) -> inspect.Type:
    """Without what may also be null, and without what was said about it."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return _bare(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    return kind


def check_value(target: Target, value: Any) -> str | None:
    """What is wrong with a constant for this field; None where nothing is."""
    try:
        msgspec.convert(value, target.type)
    except ValueError as error:
        return str(error)
    return None
