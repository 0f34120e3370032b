"""A mapping proposed from samples, as TOML to be looked through: each line says how sure it is, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from infra.errors import UserError
from infra.mapping.guess import Guess, guesses, kind_of, score
from infra.mapping.names import words
from infra.mapping.profile import Profile, Seen
from infra.mapping.targets import Target, targets_of
from streams.topics import BY_NAME, TOPICS

_SURE, _LIKELY = 0.9, 0.65
_PLACE: Final = "location"  # a shop that names none has one
_ALWAYS: Final = {"event_id": "$place", "occurred_at": "$timestamp"}  # what every message has
_WHY: Final = {
    "$place": "nothing found: the message's own place in its topic, unique for good",
    "$timestamp": "nothing found: when the broker took the message",
}
_TELLING: Final = {
    "user-events": ("user_id", "type"),
    "orders": ("order_id", "lines"),
    "stock-updates": ("item_id", "location", "on_hand"),
    "ad-events": ("campaign_id", "type"),
    "catalog": ("item_id", "category"),
    "campaigns": ("budget", "bid_max"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The TOML, for which topic, and the required fields for which nothing was found."""

    text: str
    topic: str
    missing: tuple[str, ...]


def suggest(profile: Profile, *, topic: str | None = None, source: str = "your-topic") -> Suggestion:
    """A mapping for these messages. Raises UserError where they look like nothing that Tradewind reads."""
    chosen = topic or _likeliest(profile)
    return _Draft(profile, chosen, source).suggestion()


def _likeliest(profile: Profile) -> str:
    worth = {name: _worth(profile, name) for name in _TELLING}
    best = max(worth, key=lambda name: worth[name])
    if worth[best] < 0.3:
        raise UserError(
            f"the samples look like none of the topics that Tradewind reads: say which one with --topic "
            f"({', '.join(topic.name for topic in TOPICS if topic.role == 'input')})"
        )
    return best


def _worth(profile: Profile, topic: str) -> float:
    """How much a sample looks like a topic's records, by the fields that tell them apart."""
    targets = targets_of(BY_NAME[topic].record)
    found = guesses(profile, topic, targets, _outside(profile))
    total = 0.0
    for name in _TELLING[topic]:
        guess = found.get(name)
        if guess is None and name == "item_id":
            guess = max((row for _, row in _in_rows(profile, topic, targets)), key=_score, default=None)
        total += guess.score if guess is not None else 0.0
        if guess is not None and targets[name].inside and targets[name].kind == "list":
            inner = guesses(profile, topic, targets[name].inside, _inside(profile, guess.path))
            total -= 0.0 if {"item_id", "quantity"} <= set(inner) else 0.6
    return total / len(_TELLING[topic])


def _outside(profile: Profile) -> list[str]:
    return [path for path in profile.paths if "[]" not in path]


def _inside(profile: Profile, rows: str) -> list[str]:
    return [path for path in profile.paths if path.startswith(f"{rows}[].")]


def _in_rows(profile: Profile, topic: str, targets: Mapping[str, Target]) -> list[tuple[str, Guess]]:
    """For each list of objects, the path in it that may name the item."""
    found = [(rows, guesses(profile, topic, targets, _inside(profile, rows)).get("item_id")) for rows in profile.rows]
    return [(rows, guess) for rows, guess in found if guess is not None]


def _score(guess: Guess) -> float:
    return guess.score


class _Draft:
    """One rule in the making."""

    def __init__(self, profile: Profile, topic: str, source: str) -> None:
        self._profile = profile
        self._topic = topic
        self._source = source
        self._targets = targets_of(BY_NAME[topic].record)
        self._found = guesses(profile, topic, self._targets, _outside(profile))
        self._rows = self._each()

    def suggestion(self) -> Suggestion:
        missing = tuple(
            name
            for name, target in self._targets.items()
            if target.required and name not in {*self._found, *_ALWAYS, _PLACE}
        )
        lines = [
            f"# Proposed for {self._topic} from {self._profile.messages} messages: look through it, then",
            "# `tradewind map check` shows what it makes of real ones.",
            *(["# Nothing was found for what is required: " + ", ".join(missing)] if missing else []),
            "",
            "[[rule]]",
            f"to = {_quoted(self._topic)}",
            f"from = {_quoted(self._source)}",
            *([f"each = {_quoted(self._rows)}  # one record for each of these"] if self._rows else []),
            "",
            "[rule.fields]",
        ]
        # A list is a table of its own, and ends the one of the fields: so it comes last.
        for name, target in sorted(self._targets.items(), key=lambda field: field[1].kind == "list"):
            lines += self._field(name, target)
        return Suggestion(text="\n".join(lines) + "\n", topic=self._topic, missing=missing)

    def _each(self) -> str | None:
        """The list whose elements name the items, where the message itself names none."""
        if "item_id" not in self._targets or "item_id" in self._found:
            return None
        rows, guess = max(
            _in_rows(self._profile, self._topic, self._targets), key=lambda row: row[1].score, default=(None, None)
        )
        if rows is None or guess is None:
            return None
        inner = guesses(self._profile, self._topic, self._targets, _inside(self._profile, rows))
        for name in ("item_id", "price", "quantity", "location"):
            if name in inner and name in self._targets:
                self._found[name] = inner[name]
        return rows

    def _field(self, name: str, target: Target) -> list[str]:
        guess = self._found.get(name)
        if guess is None:
            return self._without(name, target)
        if target.kind == "choice":
            return self._choice(name, target, guess)
        if target.kind == "list":
            return self._list(name, target, guess)
        path = self._shown(guess.path)
        if name == "event_id" and self._rows:
            item = self._shown(self._found["item_id"].path)
            joined = f"{{ join = [{_quoted(path)}, {_quoted(item)}], by = {_quoted('/')} }}"
            return [f"{name} = {joined}  # {self._why(guess)}"]
        more = self._others(name, target, guess)
        spec = f"[{', '.join(map(_quoted, [path, *more]))}]" if more else self._spec(target, path, guess)
        return [f"{name} = {spec}  # {self._why(guess)}{self._doubt(target, guess)}"]

    def _others(self, name: str, target: Target, guess: Guess) -> list[str]:
        """Where else a required id may be, in messages that have none at the first place."""
        if target.kind != "text" or not target.required or self._profile.presence(guess.path) >= 1.0:
            return []
        taken = {one.path for one in self._found.values()}
        scope = [path for path in _outside(self._profile) if path not in taken]
        rated = {path: score(self._profile, self._topic, target, path) for path in scope}
        best = sorted((path for path in scope if rated[path] >= _LIKELY), key=lambda path: -rated[path])
        return [self._shown(path) for path in best[:2] if name.endswith("_id")]

    def _without(self, name: str, target: Target) -> list[str]:
        if not target.required:
            return []
        if name in _ALWAYS:
            return [f"{name} = {_quoted(_ALWAYS[name])}  # {_WHY[_ALWAYS[name]]}"]
        if name == _PLACE:
            return [f'{name} = {{ value = "main" }}  # a guess: nothing found, name your shop or warehouse']
        return [f'# {name} = "…"  # nothing found: Tradewind needs it']

    def _choice(self, name: str, target: Target, guess: Guess) -> list[str]:
        seen = self._profile.paths[guess.path]
        known = {value: kind for value in seen.values if (kind := kind_of(self._topic, target, value))}
        values = ", ".join(f"{_quoted(value)} = {_quoted(kind)}" for value, kind in known.items())
        others = [_comment(value) for value in seen.values if value not in known]
        told = f"; left aside: {', '.join(others[:12])}{' …' if len(others) > 12 else ''}" if others else ""
        otherwise = _quoted("skip" if others else "refuse")
        spec = f"path = {_quoted(self._shown(guess.path))}, values = {{ {values} }}, otherwise = {otherwise}"
        return [f"# {self._why(guess)}{told}", f"{name} = {{ {spec} }}"]

    def _list(self, name: str, target: Target, guess: Guess) -> list[str]:
        inner = guesses(self._profile, self._topic, target.inside, _inside(self._profile, guess.path))
        lines = [f"# {self._why(guess)}", f"[rule.fields.{name}]", f"each = {_quoted(guess.path)}", ""]
        lines.append(f"[rule.fields.{name}.fields]")
        for field, one in target.inside.items():
            found = inner.get(field)
            if found is None:
                lines += self._without(field, one)
            else:
                path = found.path.removeprefix(f"{guess.path}[].")
                lines.append(f"{field} = {self._spec(one, path, found)}  # {self._why(found)}{self._doubt(one, found)}")
        return lines

    def _shown(self, path: str) -> str:
        """The path as it is written in this rule: from an element, or from the top of the message."""
        if self._rows is None:
            return path
        inner = path.removeprefix(f"{self._rows}[].")
        return inner if inner != path else f"$.{path}"

    def _spec(self, target: Target, path: str, guess: Guess) -> str:
        seen = self._profile.paths[guess.path]
        if target.kind == "time":
            if seen.look == "naive-time":
                return f"{{ path = {_quoted(path)}, zone = {_quoted('Z')} }}"
            if seen.look == "number":
                return f"{{ path = {_quoted(path)}, unit = {_quoted(seen.unit or 'ms')} }}"
        if target.kind == "number" and (unit := _unit(path)):
            return f"{{ path = {_quoted(path)}, unit = {_quoted(unit)} }}"
        return _quoted(path)

    def _why(self, guess: Guess) -> str:
        seen = self._profile.paths[guess.path]
        level = "sure" if guess.score >= _SURE else "likely" if guess.score >= _LIKELY else "a guess"
        share = min(self._profile.presence(guess.path), 1.0)
        example = f", such as {_comment(_common(seen))}" if seen.values else ""
        return f"{level}: in {share:.0%} of them{example}"

    def _doubt(self, target: Target, guess: Guess) -> str:
        seen = self._profile.paths[guess.path]
        if target.kind == "time" and seen.look == "naive-time":
            return "; without an offset: is it UTC?"
        whole = target.name in {"price", "unit_cost", "bid"} and seen.whole and seen.look == "number"
        if whole and not _unit(guess.path) and len(seen.values) > 3:
            return '; all whole numbers: if they are cents, unit = "cents"'
        return ""


def _unit(path: str) -> str | None:
    said = set(words(path))
    if said & {"cents", "cent", "minor"}:
        return "cents"
    return "micros" if said & {"micros", "micro"} else None


def _common(seen: Seen) -> str:
    return seen.values.most_common(1)[0][0]


def _quoted(text: str) -> str:
    """Text as TOML writes it: as JSON does, but for one letter."""
    return orjson.dumps(text).decode().replace("\x7f", "\\u007F")


def _comment(text: str) -> str:
    """Text as it may stand in a comment."""
    return _quoted(text if len(text) <= 40 else f"{text[:40]}…")
