"""A feature set as data: what is measured, from which observation, over which window, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from streams.statistics import Statistic, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One online feature. `source` names the observation that feeds it; `window` says what it remembers."""

    name: str
    source: str
    window: str
    why: str
    statistic: Callable[[], Statistic]


@dataclass(frozen=True)
class FeatureSet:
    """The features of one kind of entity. Raise `version` whenever a feature changes its meaning."""

    entity: str
    version: int
    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @cached_property
    def places(self) -> dict[str, int]:
        return {feature.name: place for place, feature in enumerate(self.features)}

    @cached_property
    def fed_by(self) -> dict[str, list[int]]:
        """The places of the features that each source feeds."""
        places: dict[str, list[int]] = {}
        for place, feature in enumerate(self.features):
            places.setdefault(feature.source, []).append(place)
        return places


class Features:
    """One entity's features, live. A subclass says which set they are `of`; an entity holds them as a field."""

    of: ClassVar[FeatureSet]

    def __init__(self, stored: Sequence[Stored] = ()) -> None:
        """Take up what `put_away` gave; nothing starts new ones."""
        self._live = [feature.statistic() for feature in self.of.features]
        for statistic, values in zip(self._live, stored, strict=False):  # a feature added since then starts new
            statistic.load(values)

    def update(self, observed: Mapping[str, float]) -> None:
        """Feed what was observed at one event; features whose source is absent stay as they are."""
        fed_by = self.of.fed_by
        for source, value in observed.items():
            for place in fed_by.get(source, ()):
                self._live[place].update(value)

    def read(self) -> dict[str, float]:
        """All of them, by name."""
        return {feature.name: statistic.read() for feature, statistic in zip(self.of.features, self._live, strict=True)}

    def value(self, name: str) -> float:
        """The feature of this name. Raises KeyError where the set has none."""
        return self._live[self.of.places[name]].read()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Features) and (self.of, self.put_away()) == (other.of, other.put_away())

    __hash__ = None  # pyright: ignore[reportAssignmentType] # it changes

    def put_away(self) -> list[Stored]:
        return [statistic.dump() for statistic in self._live]
