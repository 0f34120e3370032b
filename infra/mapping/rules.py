"""A mapping: rules from a shop's messages to our records. Compiled once; then a pure function of a message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec

from infra.mapping.fields import BadMapping, Left, Maker, inside, made_of, makers
from infra.mapping.paths import Arrived, BadPath, Getter, Scope, as_text, getter
from infra.mapping.targets import targets_of
from infra.mapping.values import Unfit, shown
from infra.names import FOREIGN, did_you_mean, is_name
from streams.codec import MAX_BYTES, MalformedRecord, record_of, unframed
from streams.topics import BY_NAME, TOPICS, Topic

_WORDS: Final = ("to", "from", "when", "each", "key", "fields")
_KEYS: Final = ("check", "trust")
_INPUTS: Final = tuple(topic.name for topic in TOPICS if topic.role == "input")

Test = Callable[[Scope], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way a message becomes records of `to`. `source` is the shop's own topic; None means `to` itself."""

    to: Topic
    source: str | None
    tests: tuple[Test, ...]
    rows: Getter | None
    trusts_key: bool
    fields: dict[str, Maker]

    def takes(self, scope: Scope) -> bool:
        return all(test(scope) for test in self.tests)

    def make(self, scope: Scope, key: str | None, logged_at: int) -> list[Any]:
        """The records. Raises MalformedRecord, Left."""
        try:
            scopes = [scope] if self.rows is None else inside(scope, self.rows(scope))
            given = [made_of(self.fields, targets_of(self.to.record), one) for one in scopes]
        except Unfit as error:
            raise MalformedRecord(error.reason, f"{self.to}: {error}") from error
        return [record_of(self.to, one, key, logged_at) for one in given]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules: those at the edge by our topic's name, the others by the shop's topic and ours."""

    edge: dict[str, tuple[Rule, ...]] = field(default_factory=dict[str, tuple[Rule, ...]])
    sources: dict[str, dict[str, tuple[Rule, ...]]] = field(default_factory=dict[str, dict[str, tuple[Rule, ...]]])


def compiled(data: Mapping[str, Any]) -> Rules:
    """A mapping from its declaration, checked against the record types. Raises BadMapping, all wrongs at once."""
    rules: list[Rule] = []
    wrong = [f"there is no table {name!r}: rules are [[rule]]" for name in data if name != "rule"]
    given: Any = data.get("rule")
    if not isinstance(given, list) or not given:
        raise BadMapping("; ".join([*wrong, "it has no [[rule]]"]))
    for number, one in enumerate(cast(list[Any], given), 1):
        try:
            rules.append(_rule(one))
        except BadMapping as error:
            named = cast(dict[str, Any], one).get("to") if isinstance(one, dict) else None
            wrong.append(f"rule {number}{f' (to {named})' if isinstance(named, str) else ''}: {error}")
    if wrong:
        raise BadMapping("; ".join(wrong))
    return _sorted(rules)


def _sorted(rules: Sequence[Rule]) -> Rules:
    found = Rules()
    for rule in rules:
        place = found.edge if rule.source is None else found.sources.setdefault(rule.source, {})
        place[rule.to.name] = (*place.get(rule.to.name, ()), rule)
    return found


def _rule(given: Any) -> Rule:
    if not isinstance(given, dict):
        raise BadMapping("it is no table")
    spec = cast(dict[str, Any], given)
    for word in spec:
        if word not in _WORDS:
            raise BadMapping(f"there is no word {word!r}{did_you_mean(word, _WORDS)}")
    to, source = _ends(spec)
    _check_kind("fields", spec.get("fields"), dict, "a table of our fields")
    rows = None
    if "each" in spec:
        if source is None:
            raise BadMapping("each makes several records of one message, which only a topic named by from can: say it")
        rows = _path(spec["each"])
    key = spec.get("key", "check")
    if key not in _KEYS or (source is not None and "key" in spec):
        raise BadMapping('key is "check" or "trust", and only where from is left out')
    return Rule(
        to=to,
        source=source,
        tests=_tests(spec.get("when", {})),
        rows=rows,
        trusts_key=key == "trust",
        fields=makers(targets_of(to.record), spec["fields"]),
    )


def _ends(spec: dict[str, Any]) -> tuple[Topic, str | None]:
    to, source = spec.get("to"), spec.get("from")
    if to not in _INPUTS:
        known = "" if to is None else did_you_mean(str(to), _INPUTS)
        also = " (Tradewind writes that one itself)" if to in BY_NAME else ""
        raise BadMapping(f"to = {shown(to)} is none of the topics that Tradewind reads{also}{known}")
    if source is not None and (not isinstance(source, str) or not is_name(source)):
        raise BadMapping(f"from = {shown(source)} can't be the name of a topic")
    return BY_NAME[str(to)], source


def _check_kind(word: str, value: Any, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise BadMapping(f"{word} is {what}")


def _tests(given: Any) -> tuple[Test, ...]:
    _check_kind("when", given, dict, "a table of paths and what must stand there")
    return tuple(_test(_path(path), wanted) for path, wanted in cast(dict[str, Any], given).items())


def _test(get: Getter, wanted: Any) -> Test:
    if isinstance(wanted, dict):
        spec = cast(dict[str, Any], wanted)
        if set(spec) == {"exists"} and isinstance(spec["exists"], bool):
            return lambda scope: (get(scope) is not None) == spec["exists"]
        if set(spec) == {"not"}:
            refused = _texts(spec["not"])
            return lambda scope: as_text(get(scope)) not in refused
        raise BadMapping("when: write a value, a list of values, { not = … } or { exists = true }")
    allowed = _texts(wanted)
    return lambda scope: as_text(get(scope)) in allowed


def _texts(given: Any) -> frozenset[str]:
    texts = [as_text(one) for one in (cast(list[Any], given) if isinstance(given, list) else [given])]
    if not texts or None in texts:
        raise BadMapping("when: write text, numbers, true or false")
    return frozenset(text for text in texts if text is not None)


def _path(path: Any) -> Getter:
    try:
        return getter(path if isinstance(path, str) else "")
    except BadPath as error:
        raise BadMapping(str(error)) from error


def arrived(where: str, key: bytes | None, value: bytes, logged_at: int, place: str, headers: Any) -> Arrived:
    """A message, with its value read as JSON. `where` names its topic in what is said. Raises MalformedRecord."""
    if len(value) > MAX_BYTES:
        raise MalformedRecord("oversized", f"{where}: {len(value)} bytes, over {MAX_BYTES}")
    try:
        root: Any = msgspec.json.decode((unframed(value) or b"").decode())
    except UnicodeDecodeError as error:
        raise MalformedRecord("not-utf8", f"{where}: {error}") from error
    except msgspec.DecodeError as error:
        raise MalformedRecord("not-json", f"{where}: {error}") from error
    except RecursionError as error:
        raise MalformedRecord("nested-too-deep", f"{where}: {error}") from error
    return Arrived(root, key, logged_at, place, headers)


def first(rules: Sequence[Rule], scope: Scope) -> Rule | None:
    """The first rule that takes a message."""
    return next((rule for rule in rules if rule.takes(scope)), None)


def spread(rules: Mapping[str, Sequence[Rule]], message: Arrived) -> list[tuple[Topic, Any]]:
    """What a message of a shop's own topic becomes, on all of our topics. Raises MalformedRecord."""
    scope = Scope(message.root, message)
    made: list[tuple[Topic, Any]] = []
    for several in rules.values():
        rule = first(several, scope)
        if rule is not None:
            try:
                made += [(rule.to, record) for record in rule.make(scope, None, message.timestamp)]
            except Left:
                continue
    return made


def foreign(source: str) -> str:
    """The name by which a shop's own topic goes here."""
    return FOREIGN + source
