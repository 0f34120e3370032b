"""What a sample of messages looks like: every path, how often it is there, and what kind of values it has. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast

from infra.mapping.paths import as_text
from infra.mapping.values import TIME_UNITS
from streams.times import EARLIEST, LATEST

Look = Literal["time", "naive-time", "number", "boolean", "text", "object", "rows", "list", "mixed"]

_MANY: Final = 200  # distinct values that are kept
_DEEP: Final = 8
_WIDE: Final = 400  # paths of one sample
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_PLAIN_NAME: Final = re.compile(r'[^.\[\]"\s$][^.\[\]"]*')


@dataclass(slots=True)
class Seen:
    """One path's values. `looks` counts them by kind, `values` by their text, as far as there is room."""

    count: int = 0
    looks: Counter[Look] = field(default_factory=Counter[Look])
    values: Counter[str] = field(default_factory=Counter[str])
    units: Counter[str] = field(default_factory=Counter[str])
    whole: bool = True  # all numbers are

    @property
    def look(self) -> Look:
        """What nearly all of them are."""
        if not self.looks:
            return "mixed"
        look, count = self.looks.most_common(1)[0]
        return look if count >= 0.9 * self.count else "mixed"

    @property
    def unit(self) -> str | None:
        """Of times: the unit in which nearly all of them make sense."""
        unit, count = self.units.most_common(1)[0] if self.units else ("", 0)
        return unit if count and count >= 0.9 * self.count else None

    @property
    def is_choice(self) -> bool:
        """Whether it looks like one of a few words."""
        few = len(self.values) <= max(3, min(40, self.count // 2 + 1))
        return self.look in {"text", "boolean"} and few and len(self.values) < _MANY


@dataclass(slots=True)
class Profile:
    """A sample: how many messages, and its paths. Those inside a list of objects begin with its path and `[]`."""

    messages: int = 0
    paths: dict[str, Seen] = field(default_factory=dict[str, Seen])
    rows: Counter[str] = field(default_factory=Counter[str])  # elements of lists of objects, by the list's path

    def add(self, message: Any) -> None:
        """Take one message in."""
        self.messages += 1
        for path, value in _walk(message, "", 0):
            if path not in self.paths and len(self.paths) >= _WIDE:
                continue
            _see(self.paths.setdefault(path, Seen()), value)
            if path and is_rows(value):
                self.rows[path] += len(cast(list[Any], value))

    def presence(self, path: str) -> float:
        """In what share of the messages (or of a list's elements) the path is there."""
        inside = path.rpartition("[].")[0]
        of = self.rows[inside] if inside else self.messages
        return self.paths[path].count / of if of else 0.0


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if value is None or depth > _DEEP:
        return
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, inner in cast(dict[str, Any], value).items():
            yield from _walk(inner, _joined(path, name), depth + 1) if _can_name(name) else ()
    elif is_rows(value) and "[]" not in path:  # lists inside lists stay closed
        for row in value:
            for name, inner in row.items():
                yield from _walk(inner, _joined(f"{path}[]", name), depth + 1) if _can_name(name) else ()


def is_rows(value: Any) -> bool:
    """Whether it is a list of objects."""
    rows = cast(list[Any], value) if isinstance(value, list) else []
    return bool(rows) and all(isinstance(row, dict) for row in rows)


def _can_name(name: str) -> bool:
    return bool(name) and '"' not in name


def _joined(path: str, name: str) -> str:
    shown = name if _PLAIN_NAME.fullmatch(name) else f'"{name}"'
    return f"{path}.{shown}" if path else shown


def _see(seen: Seen, value: Any) -> None:
    seen.count += 1
    seen.looks[_look(value)] += 1
    text = as_text(value)
    if text is not None and (len(seen.values) < _MANY or text in seen.values):
        seen.values[text] += 1
    number = _as_number(value)
    if number is not None:
        seen.whole = seen.whole and float(number).is_integer() and not isinstance(value, str)
        for unit, factor in TIME_UNITS.items():
            if factor and EARLIEST <= number * factor < LATEST:
                seen.units[unit] += 1
                break


def _as_number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        return float(value)
    return None


def _look(value: Any) -> Look:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return _look_of_text(value)
    if isinstance(value, dict):
        return "object"
    return "rows" if is_rows(value) else "list"


def _look_of_text(text: str) -> Look:
    if _NUMBER.fullmatch(text):
        return "number"
    if _DATE.match(text):
        try:
            return "naive-time" if datetime.fromisoformat(text.strip()).tzinfo is None else "time"
        except ValueError:
            pass
    return "text"
