"""A feature set as data: what is measured, from which observation, over which window, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from streams.statistics import Statistic, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One online feature. `source` names the observation that feeds it; `window` says what it remembers."""

    name: str
    source: str
    window: str
    why: str
    statistic: Callable[[], Statistic]


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """The features of one kind of entity. Raise `version` whenever a feature changes its meaning."""

    entity: str
    version: int
    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    def open(self, stored: Sequence[Stored]) -> "Features":
        """Take up one entity's features where they were put away; an empty list starts new ones."""
        live = [feature.statistic() for feature in self.features]
        for statistic, values in zip(live, stored, strict=False):  # a feature added since then starts new
            statistic.load(values)
        return Features(self, live)


@dataclass(slots=True)
class Features:
    """One entity's features, live."""

    of: FeatureSet
    _live: list[Statistic]

    def update(self, observed: Mapping[str, float]) -> None:
        """Feed what was observed at one event; features whose source is absent stay as they are."""
        for feature, statistic in zip(self.of.features, self._live, strict=True):
            value = observed.get(feature.source)
            if value is not None:
                statistic.update(value)

    def read(self) -> dict[str, float]:
        return {feature.name: statistic.read() for feature, statistic in zip(self.of.features, self._live, strict=True)}

    def dump(self) -> list[Stored]:
        return [statistic.dump() for statistic in self._live]


class Featured(Protocol):
    """An entity that keeps the features put away."""

    features: list[Stored]


Entity = TypeVar("Entity", bound=Featured)


@dataclass(slots=True)
class LiveFeatures(Generic[Entity]):
    """The features of the entities that a batch touches: taken up once, and put away once at its end."""

    of_set: FeatureSet
    _live: dict[str, tuple[Entity, Features]] = field(default_factory=dict[str, tuple[Entity, Features]])

    def of(self, name: str, entity: Entity) -> Features:
        if name not in self._live:
            self._live[name] = entity, self.of_set.open(entity.features)
        return self._live[name][1]

    def put_away(self) -> None:
        for entity, features in self._live.values():
            entity.features = features.dump()
