"""A histogram that costs little to fill: it is summed up only when somebody asks. No library, no clock."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

LATENCY_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
STEP_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SHARE: Final = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


@dataclass(slots=True)
class Buckets:
    """Counts of values by upper bounds, which are inclusive and ascending; what is above them all counts too."""

    bounds: Sequence[float]
    total: float = 0.0
    counts: list[int] = field(default_factory=list[int])

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def together(self, least: float, most: float) -> bool:
        """Whether all values between these count in one bucket."""
        return bisect_left(self.bounds, least) == bisect_left(self.bounds, most)

    def add_all(self, values: Iterable[float]) -> None:
        for value in values:
            self.add(value)

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, how many are at most that), the last one `+Inf`.

        >>> buckets = Buckets((0.1, 1.0))
        >>> buckets.add_all((0.1, 0.5, 7.0))
        >>> buckets.cumulative()
        [('0.1', 1), ('1.0', 2), ('+Inf', 3)]
        """
        return list(zip([*map(str, self.bounds), "+Inf"], accumulate(self.counts), strict=True))
