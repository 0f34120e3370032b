"""JSON-like data as YAML for people to read. Writing only: what reads it is any YAML library."""

import re
from collections.abc import Iterator
from typing import Any, Final, cast

import orjson

_PLAIN: Final = re.compile(r"[A-Za-z_$/][A-Za-z0-9_$/.-]*(?: [A-Za-z0-9_$/.(){}-]+)*")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def dump(data: Any) -> str:
    """The data as block-style YAML, keys in their order.

    >>> print(dump({"a": [1, {"b": "yes"}], "c": {}}), end="")
    a:
      - 1
      - b: "yes"
    c: {}
    """
    return "\n".join(_lines(data)) + "\n"


def _lines(data: Any) -> Iterator[str]:
    if isinstance(data, dict) and data:
        for name, value in cast(dict[str, Any], data).items():
            yield from _under(f"{_scalar(name)}:", value)
    elif isinstance(data, list | tuple) and data:
        for value in cast(list[Any], data):
            inner = list(_lines(value))
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])
    else:
        yield _scalar(data)


def _under(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict | list | tuple) and value:
        yield head
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, float):
        return _number(value)
    return _UNPRINTABLE.sub(_escaped, orjson.dumps(value).decode())


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _number(value: float) -> str:
    """With a point and a sign of the exponent: without them YAML 1.1 takes it for text."""
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    if not exponent:
        return text
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{power if power[0] in '+-' else '+' + power}"
