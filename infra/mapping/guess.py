"""Which path of a sample may mean which field: by its name, the look of its values, and how often it is there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from infra.mapping.names import ad_event, aliases_of, plain, user_event
from infra.mapping.profile import Profile, Seen
from infra.mapping.targets import Target

_SEGMENT: Final = re.compile(r'"[^"]*"|[^.\[\]]+')
_LEAST: Final = 0.4  # what a guess must be worth for a field that is required
_OPTIONAL: Final = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A path for a field, and how sure that is: 1 is certain."""

    path: str
    score: float


def guesses(profile: Profile, topic: str, targets: Mapping[str, Target], scope: Iterable[str]) -> dict[str, Guess]:
    """The best path for each field, each path once. `scope` are the paths that may be taken."""
    paths = list(scope)
    rated = [
        (score(profile, topic, target, path), -place, name, path)
        for name, target in targets.items()
        for place, path in enumerate(paths)
    ]
    found: dict[str, Guess] = {}
    taken: set[str] = set()
    for worth, _, name, path in sorted(rated, reverse=True):
        least = _LEAST if targets[name].required else _OPTIONAL
        if worth >= least and name not in found and path not in taken:
            found[name] = Guess(path=path, score=worth)
            taken.add(path)
    return found


def score(profile: Profile, topic: str, target: Target, path: str) -> float:
    """How likely a path means a field, from 0 to 1."""
    seen = profile.paths[path]
    name = _name(aliases_of(topic, target.name), path)
    if name == 0.0:
        return 0.0
    return name * _look(topic, target, seen) * (0.6 + 0.4 * min(profile.presence(path), 1.0))


def _name(aliases: tuple[str, ...], path: str) -> float:
    inside = path.rpartition("[].")[2]
    parts = [plain(part) for part in _SEGMENT.findall(inside)]
    last, deep = parts[-1] if parts else "", 0.04 * max(len(parts) - 1, 0)
    two = "".join(parts[-2:])
    for rank, alias in enumerate(aliases):
        if alias in {last, two}:
            return max(1.0 - 0.02 * rank - (0.0 if alias == two and len(parts) > 1 else deep), 0.1)
    if any(len(alias) >= 4 and (last.endswith(alias) or last.startswith(alias)) for alias in aliases):
        return 0.65 - deep
    return 0.0


def _look(topic: str, target: Target, seen: Seen) -> float:
    look = seen.look
    if target.kind == "choice":
        return _recognised(topic, target, seen)
    if target.kind == "time":
        return {"time": 1.0, "naive-time": 0.9, "number": 1.0 if seen.unit else 0.0}.get(look, 0.0)
    if target.kind == "text" and look == "mixed":
        return 0.7 if seen.values else 0.0
    fits = {
        "text": look in {"text", "number"},
        "number": look == "number",
        "integer": look == "number" and seen.whole,
        "boolean": look == "boolean" or bool(seen.values and set(seen.values) <= {"0", "1"}),
        "list": look == "rows" and bool(target.inside),
    }
    return float(fits.get(target.kind, False))


def _recognised(topic: str, target: Target, seen: Seen) -> float:
    """The more of its values mean something to us the likelier."""
    if not seen.is_choice:
        return 0.0
    known = sum(count for value, count in seen.values.items() if kind_of(topic, target, value))
    return 0.2 + 0.8 * known / max(seen.values.total(), 1) if known else 0.0


def kind_of(topic: str, target: Target, value: str) -> str | None:
    """Which of a field's choices a shop's word means."""
    if value in target.choices:
        return value
    found = user_event(value) if topic == "user-events" else ad_event(value) if topic == "ad-events" else None
    return found if found in target.choices else None
