"""One field of a record as a mapping declares it, made into a function from a message to the field's value."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from infra.mapping.paths import BadPath, Getter, Scope, as_text, getter
from infra.mapping.targets import Target, check_value
from infra.mapping.values import NUMBER_UNITS, TIME_UNITS, Convert, Unfit, converter, shown
from infra.names import did_you_mean

Maker = Callable[[Scope], Any]  # None where the message says nothing; raises Unfit, Left

_WORDS: Final[dict[str, Any]] = {
    "path": (str, list),
    "value": object,
    "default": object,
    "unit": str,
    "scale": (int, float),
    "zone": str,
    "values": dict,
    "otherwise": str,
    "join": list,
    "by": str,
    "each": str,
    "fields": dict,
}
_SOURCES: Final = ("path", "value", "join", "fields")


class BadMapping(ValueError):  # noqa: N818 # named for what it is
    """A mapping that can't work; says what is wrong, for a person."""


class Left(Exception):  # noqa: N818 # no error
    """The message isn't meant to become a record: the mapping says so."""


def maker(target: Target, given: object) -> Maker:
    """What makes one field's value. Raises BadMapping."""
    spec = cast(dict[str, Any], given if isinstance(given, dict) else {"path": given})
    if not isinstance(given, str | list | dict):
        raise BadMapping(f'{shown(given)} is no path: write "a.path", or {{ value = … }} for a constant')
    _check_words(target, spec)
    if "value" in spec:
        return _constant(target, spec["value"])
    if "fields" in spec:
        return _nested(target, spec)
    return _read(target, spec)


def makers(targets: Mapping[str, Target], given: Mapping[str, object]) -> dict[str, Maker]:
    """What makes the fields of a record or a part of one. Raises BadMapping, all that is wrong at once."""
    wrong = [f"there is no field {name!r}{did_you_mean(name, targets)}" for name in given if name not in targets]
    made: dict[str, Maker] = {}
    for name, spec in given.items():
        if name in targets:
            try:
                made[name] = maker(targets[name], spec)
            except BadMapping as error:
                wrong.append(f"{name}: {error}")
    wrong += [
        f"{name}: it is required, and nothing is said of it"
        for name, target in targets.items()
        if target.required and name not in given
    ]
    if wrong:
        raise BadMapping("; ".join(wrong))
    return made


def made_of(made: Mapping[str, Maker], targets: Mapping[str, Target], scope: Scope) -> dict[str, Any]:
    """The fields' values, without those of which the message says nothing. Raises Unfit, Left."""
    found: dict[str, Any] = {}
    for name, make in made.items():
        try:
            value = make(scope)
        except Unfit as error:
            raise Unfit(f"{name}: {error}", error.reason) from error
        if value is not None:
            found[name] = value
        elif targets[name].required:
            raise Unfit(f"{name}: the message has none where the mapping looks for it")
    return found


def _check_words(target: Target, spec: dict[str, Any]) -> None:
    _check_types(spec)
    if sum(word in spec for word in _SOURCES) != 1:
        raise BadMapping(f"say exactly one of {', '.join(_SOURCES)}")
    if "value" in spec and len(spec) > 1:
        raise BadMapping("a constant takes nothing beside value")
    for word, needs in (("by", "join"), ("otherwise", "values"), ("each", "fields")):
        if word in spec and needs not in spec:
            raise BadMapping(f"{word} means something only with {needs}")
    if spec.get("otherwise", "skip") not in {"skip", "refuse"}:
        raise BadMapping(f'otherwise is "skip" or "refuse", not {shown(spec["otherwise"])}')
    _check_unit(target, spec)


def _check_types(spec: dict[str, Any]) -> None:
    for word, value in spec.items():
        if word not in _WORDS:
            raise BadMapping(f"there is no word {word!r}{did_you_mean(word, _WORDS)}")
        if not isinstance(value, _WORDS[word]):
            raise BadMapping(f"{word} = {shown(value)} is of the wrong type")


def _check_unit(target: Target, spec: dict[str, Any]) -> None:
    known = TIME_UNITS if target.kind == "time" else NUMBER_UNITS if target.kind == "number" else {}
    unit = spec.get("unit")
    if unit is not None and not known:
        raise BadMapping(f"unit fits times and amounts, and this is {_a(target.kind)}")
    if unit is not None and unit not in known:
        raise BadMapping(f"there is no unit {unit!r}{did_you_mean(unit, known)}")
    if "scale" in spec and target.kind != "number":
        raise BadMapping(f"scale fits numbers, and this is {_a(target.kind)}")
    if "scale" in spec and unit is not None:
        raise BadMapping("say unit or scale, not both")
    if "zone" in spec and target.kind != "time":
        raise BadMapping(f"zone fits times, and this is {_a(target.kind)}")
    if "zone" in spec:
        try:
            converter("time", zone=spec["zone"])("2017-01-01T12:00:00")
        except Unfit as error:
            raise BadMapping(f'zone is "Z" or "±hh:mm", not {shown(spec["zone"])}') from error


def _constant(target: Target, value: Any) -> Maker:
    if wrong := check_value(target, value):
        raise BadMapping(f"the constant {shown(value)} doesn't fit: {wrong}{_near(target, value)}")
    return lambda scope: value  # noqa: ARG005 # the same for every message


def _read(target: Target, spec: dict[str, Any]) -> Maker:
    find = _joined(spec) if "join" in spec else _first(spec["path"])
    convert = _converter(target, spec)
    default = spec.get("default")
    if default is not None and (wrong := check_value(target, default)):
        raise BadMapping(f"the default {shown(default)} doesn't fit: {wrong}{_near(target, default)}")

    def make(scope: Scope) -> Any:
        value = find(scope)
        return default if value is None else convert(value)

    return make


def _converter(target: Target, spec: dict[str, Any]) -> Convert:
    if "values" in spec:
        return _table(target, spec["values"], spec.get("otherwise", "refuse"))
    if target.kind == "list" and target.element not in {None, "object"}:
        inner = converter(target.element or "text")
        return lambda value: [inner(one) for one in _rows(value)]
    return converter(target.kind, unit=spec.get("unit"), scale=spec.get("scale"), zone=spec.get("zone"))


def _table(target: Target, values: dict[str, Any], otherwise: str) -> Convert:
    for theirs, ours in values.items():
        if wrong := check_value(target, ours):
            raise BadMapping(f"values: {theirs!r} = {shown(ours)} doesn't fit: {wrong}{_near(target, ours)}")

    def convert(value: Any) -> Any:
        text = as_text(value)
        if text in values:
            return values[text]
        if otherwise == "skip":
            raise Left
        raise Unfit(f"{shown(value)} is not among the values that the mapping names", "unmapped")

    return convert


def _first(paths: str | list[Any]) -> Getter:
    found = [_getter(path) for path in ([paths] if isinstance(paths, str) else paths)]
    if not found:
        raise BadMapping("no path is named")
    if len(found) == 1:
        return found[0]

    def find(scope: Scope) -> Any:
        return next((value for get in found if (value := get(scope)) is not None), None)

    return find


def _joined(spec: dict[str, Any]) -> Getter:
    parts = [_getter(path) for path in spec["join"]]
    between = spec.get("by", "-")

    def find(scope: Scope) -> str | None:
        texts = [as_text(get(scope)) for get in parts]
        return between.join(text for text in texts if text is not None) if None not in texts else None

    return find


def _getter(path: object) -> Getter:
    if not isinstance(path, str):
        raise BadMapping(f"{shown(path)} is no path")
    try:
        return getter(path)
    except BadPath as error:
        raise BadMapping(str(error)) from error


def _nested(target: Target, spec: dict[str, Any]) -> Maker:
    """An object of our own making, or one for each element of a list."""
    if not target.inside:
        if target.kind == "object" and "each" not in spec:
            return _free(spec["fields"])
        raise BadMapping(f"fields fit a record inside, and this is {_a(target.kind)}")
    if (target.kind == "list") != ("each" in spec):
        raise BadMapping("a list needs each = its path, and only a list does")
    made = makers(target.inside, spec["fields"])
    if target.kind != "list":
        return lambda scope: made_of(made, target.inside, scope)
    rows = _getter(spec["each"])

    def make(scope: Scope) -> list[Any] | None:
        found = rows(scope)
        return None if found is None else [made_of(made, target.inside, one) for one in inside(scope, found)]

    return make


def _free(fields: dict[str, Any]) -> Maker:
    """An object whose fields are free: values go over as they are."""
    paths: dict[str, Any] = fields
    found = {name: _first(cast(Any, path)) if isinstance(path, str | list) else None for name, path in paths.items()}
    if bad := [name for name, get in found.items() if get is None]:
        raise BadMapping(f"{bad[0]}: write the path of its value")

    def make(scope: Scope) -> dict[str, Any]:
        told = {name: get(scope) for name, get in found.items() if get is not None}
        return {name: value for name, value in told.items() if value is not None}

    return make


def inside(scope: Scope, rows: Any) -> list[Scope]:
    """The scope of each element. Raises Unfit where it is no list."""
    return [Scope(row, scope.message, f"{scope.number}-{place}") for place, row in enumerate(_rows(rows))]


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unfit(f"{shown(value)} is no list")
    return cast(list[Any], value)


def _near(target: Target, value: Any) -> str:
    return did_you_mean(value, target.choices) if target.choices and isinstance(value, str) else ""


def _a(kind: str) -> str:
    return {"integer": "a whole number", "object": "an object", "text": "text"}.get(kind, f"a {kind}")
