"""What a JSON Schema says of one value, in words that fit into a table's cell."""

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_WORDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
_FORMATS: Final = {"path": "path", "password": "secret text", "date-time": "text"}


def in_words(schema: Schema) -> str:
    """Type and bounds. A type of its own goes by its name.

    >>> in_words({"type": "integer", "minimum": 1, "maximum": 100_000})
    'whole number, 1 to 100,000'
    >>> in_words({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]})
    'number, above 0'
    >>> in_words({"type": "array", "items": {"$ref": "#/definitions/Line"}, "minItems": 1})
    'list of at least 1 `Line`'
    """
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "anyOf" in schema:
        return " or ".join(_described(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return _listed(schema)
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {in_words(schema['additionalProperties'])}"
    kind = _FORMATS.get(schema.get("format", ""), _WORDS.get(schema.get("type", ""), "any value"))
    return ", ".join([kind, *_bounds(schema)])


def code(text: str) -> str:
    """Text as code, in a table's cell.

    >>> code("N|FILE")
    '<code>N&#124;FILE</code>'
    """
    return f"<code>{cell(text)}</code>"


def cell(text: str) -> str:
    """Text as a table's cell can hold it.

    >>> cell("a | b")
    'a &#124; b'
    """
    return " ".join(text.replace("|", "&#124;").replace("<", "&lt;").split())


def _described(schema: Schema) -> str:
    about = f" ({schema['description']})" if "description" in schema else ""
    return in_words(schema) + about


def _listed(schema: Schema) -> str:
    items = schema.get("items", {})
    if isinstance(items, list):  # draft 7's tuple
        kinds: list[Schema] = items  # pyright: ignore[reportUnknownVariableType]
        return f"list of ({', '.join(in_words(one) for one in kinds)})"
    least, most = schema.get("minItems"), schema.get("maxItems")
    return " ".join(["list of", *_between(least, most), in_words(items)])


def _bounds(schema: Schema) -> Iterator[str]:
    if schema.get("minLength") == 1 and "maxLength" not in schema:
        yield "not empty"
    elif "minLength" in schema or "maxLength" in schema:
        yield " ".join([*_between(schema.get("minLength"), schema.get("maxLength")), "characters"])
    if "pattern" in schema:
        yield f"matching {code(schema['pattern'])}"
    if "exclusiveMinimum" in schema:
        yield f"above {_number(schema['exclusiveMinimum'])}"
    if "minimum" in schema or "maximum" in schema:
        yield " ".join(_between(schema.get("minimum"), schema.get("maximum")))
    if "exclusiveMaximum" in schema:
        yield f"below {_number(schema['exclusiveMaximum'])}"


def _between(least: float | None, most: float | None) -> Iterator[str]:
    if least is not None and most is not None:
        yield f"{_number(least)} to {_number(most)}"
    elif least is not None:
        yield f"at least {_number(least)}"
    elif most is not None:
        yield f"at most {_number(most)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"
