"""Which changes of a record's schema break those who already read or write it. Pure: two schemas in, sentences out.

Who writes to us must be able to go on as before: whatever the old schema allowed, the new one must allow. Who reads us
must be able to go on too: whatever the new schema allows, the old one must have allowed. A record that is kept and
read again by later versions has to hold both. In either direction no field may go.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

from infra.contract.schemas import Schema

Direction = Literal["in", "out", "both"]
DIRECTIONS: Final[dict[str, Direction]] = {"input": "in", "action": "out", "log": "both", "internal": "both"}
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_SAME: Final = ("pattern", "format", "multipleOf")
_ANY: Final[Schema] = {}


def breaking(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """What breaks between two whole schemas, as sentences; empty where nothing does.

    >>> was = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": []}
    >>> breaking(was, {**was, "required": ["a"]}, "in")
    ['a: is now required']
    >>> breaking(was, {**was, "required": ["a"]}, "out")
    []
    """
    said = list(_gone(old, new, old, new, ""))
    if direction in {"in", "both"}:
        said += [f"{path}: {what}" for path, what in _gaps(_Side(old, old), _Side(new, new), "", _NARROWED)]
    if direction in {"out", "both"}:
        said += [f"{path}: {what}" for path, what in _gaps(_Side(new, new), _Side(old, old), "", _WIDENED)]
    return list(dict.fromkeys(said))


class _Side:
    """A part of a schema, and the whole that its references point into."""

    def __init__(self, part: Any, whole: Schema) -> None:
        while isinstance(part, dict) and "$ref" in part:
            part = whole.get("definitions", {}).get(part["$ref"].rsplit("/", 1)[1], _ANY)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        self.part: Schema = part if isinstance(part, dict) else _ANY  # pyright: ignore[reportUnknownMemberType]
        self.whole = whole

    def into(self, part: Any) -> "_Side":
        return _Side(part, self.whole)

    @property
    def options(self) -> "list[_Side]":
        return [self.into(one) for one in self.part.get("anyOf", [self.part])]

    @property
    def kind(self) -> str:
        return str(self.part.get("type", "enum" if "enum" in self.part else "any"))


Words = dict[str, str]
_NARROWED: Final[Words] = {
    "type": "no longer takes {}",
    "enum": "no longer takes {}",
    "bound": "{} is narrower than before",
    "required": "is now required",
    "same": "{} has changed",
}
_WIDENED: Final[Words] = {
    "type": "may now be {}",
    "enum": "may now be {}",
    "bound": "{} is wider than before",
    "required": "may now be missing",
    "same": "{} has changed",
}


def _gaps(a: _Side, b: _Side, path: str, words: Words) -> Iterator[tuple[str, str]]:
    """Where a value that `a` allows may be refused by `b`."""
    if not b.part:
        return
    if len(a.options) > 1 or len(b.options) > 1:
        for option in a.options:
            tried = [list(_gaps(option, other, path, words)) for other in b.options]
            if all(tried):
                alike = [one for one, other in zip(tried, b.options, strict=True) if other.kind == option.kind]
                yield from (alike[0] if alike else [(path, words["type"].format(option.kind))])
        return
    yield from _values(a.options[0], b.options[0], path, words)


def _values(a: _Side, b: _Side, path: str, words: Words) -> Iterator[tuple[str, str]]:
    if "enum" in b.part:
        added = [one for one in a.part.get("enum", [a.kind]) if one not in b.part["enum"]]
        if added:
            yield path, words["enum"].format(", ".join(map(str, added)))
        return
    ours, theirs = _type(a), _type(b)
    if theirs not in {ours, "any"} and (ours, theirs) != ("integer", "number"):
        yield path, words["type"].format(ours)
        return
    yield from _bounds(a.part, b.part, path, words)
    yield from _members(a, b, path, words)
    yield from _elements(a, b, path, words)


def _type(side: _Side) -> str:
    """The type, of enumerated values too."""
    if side.kind != "enum":
        return side.kind
    return "string" if all(isinstance(one, str) for one in side.part["enum"]) else "any"


def _bounds(a: Schema, b: Schema, path: str, words: Words) -> Iterator[tuple[str, str]]:
    for name in _LOWER:
        if name in b and a.get(name, float("-inf")) < b[name]:
            yield path, words["bound"].format(name)
    for name in _UPPER:
        if name in b and a.get(name, float("inf")) > b[name]:
            yield path, words["bound"].format(name)
    for name in _SAME:
        if name in b and a.get(name) != b[name]:
            yield path, words["same"].format(name)


def _members(a: _Side, b: _Side, path: str, words: Words) -> Iterator[tuple[str, str]]:
    mine, theirs = a.part.get("properties", {}), b.part.get("properties", {})
    for name in theirs:
        if name in mine:
            yield from _gaps(a.into(mine[name]), b.into(theirs[name]), _at(path, name), words)
    for name in b.part.get("required", ()):
        if name not in a.part.get("required", ()):
            yield _at(path, name), words["required"]
    more = b.part.get("additionalProperties")
    if isinstance(more, dict):
        yield from _gaps(a.into(a.part.get("additionalProperties", _ANY)), b.into(more), _at(path, "*"), words)


def _elements(a: _Side, b: _Side, path: str, words: Words) -> Iterator[tuple[str, str]]:
    mine, theirs = a.part.get("items", _ANY), b.part.get("items", _ANY)
    if isinstance(mine, list) != isinstance(theirs, list):
        yield path, words["same"].format("items")
    elif isinstance(theirs, list):
        pairs: list[tuple[Any, Any]] = list(zip(mine, theirs, strict=False))  # pyright: ignore[reportUnknownArgumentType]
        if len(mine) != len(theirs):  # pyright: ignore[reportUnknownArgumentType]
            yield path, words["same"].format("length")
        for place, (one, other) in enumerate(pairs):
            yield from _gaps(a.into(one), b.into(other), f"{path}[{place}]", words)
    else:
        yield from _gaps(a.into(mine), b.into(theirs), f"{path}[]", words)


def _gone(old: Any, new: Any, was: Schema, now: Schema, path: str) -> Iterator[str]:
    """Fields that are no more, and defaults that mean something else now."""
    after = _Side(new, now).options
    for before in _Side(old, was).options:
        if isinstance(before.part.get("items"), dict):
            for one in after:
                if one.kind == "array":
                    yield from _gone(before.part["items"], one.part.get("items", _ANY), was, now, f"{path}[]")
        merged: Schema = {}
        for one in after:
            merged |= one.part.get("properties", {})
        for name, field in before.part.get("properties", {}).items():
            yield from _field_gone(field, merged.get(name), was, now, _at(path, name))


def _field_gone(field: Schema, then: Schema | None, was: Schema, now: Schema, path: str) -> Iterator[str]:
    if then is None:
        yield f"{path}: is gone"
        return
    if _absent(field) not in {None, _absent(then)}:
        yield f"{path}: its default has changed"
    yield from _gone(field, then, was, now, path)


def _absent(field: Schema) -> str | None:
    """What a missing field stands for, as text; None where it says nothing."""
    return repr(field["default"]) if "default" in field else None


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
