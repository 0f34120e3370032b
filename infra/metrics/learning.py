"""What the learner has come to, from its own entries and from what the log says of the gate."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final, cast

import msgspec

from agents.learner import Counts

_MEASURES: Final = ("log_likelihood", "reward")
_BOUNDS: Final = {"mean": "gain", "lower": "lower"}
Row = tuple[tuple[str, ...], float]


def totals(entry: bytes | None) -> tuple[dict[str, int], list[Row]]:
    """Experiences by domain, and verdicts by domain and kind, from the learner's entry `counts`."""
    counts = Counts() if entry is None else msgspec.msgpack.decode(entry, type=Counts)
    told = {"published": counts.published, "rejected": counts.rejected}
    return counts.taken, [((d, verdict), n) for verdict, by_domain in told.items() for d, n in by_domain.items()]


def gains(verdicts: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """What the last candidate of each domain gained: the mean, and the bound that the true gain is above."""
    for domain, evidence in verdicts.items():
        for measure in _MEASURES:
            found = evidence.get(measure)
            for bound, name in _BOUNDS.items():
                value = cast(Mapping[str, Any], found).get(name) if isinstance(found, Mapping) else None
                if isinstance(value, int | float) and isfinite(value):
                    yield (domain, measure, bound), float(value)
