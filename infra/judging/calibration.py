"""How well rewards were predicted, slot by slot: sums on fixed bins of the prediction, so that they merge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from infra.judging.evidence import Calibration
from policies.linalg import Floats

if TYPE_CHECKING:
    from infra.judging.rows import Row

BINS: Final = 400
_SMALLEST, _PER_DECADE = 1e-4, 100.0  # predictions up to 1e-4 share the first bin; 2.3% apart after that
TENTHS: Final = 10


class Bins(msgspec.Struct):
    """[BINS, 3] slots, Σ predicted, Σ observed, as raw float64."""

    raw: bytes = bytes(BINS * 3 * 8)

    @property
    def sums(self) -> Floats:
        return np.frombuffer(self.raw).reshape(BINS, 3)

    def add(self, rows: "Sequence[Row]") -> None:
        """Take in the slots of rows that have a prediction."""
        predicted = np.array([one for row in rows for one in row.scored.predicted])
        if not len(predicted):
            return
        observed = np.array([one for row in rows if row.scored.predicted for one in row.rewards])
        place = np.log10(np.maximum(predicted, _SMALLEST) / _SMALLEST) * _PER_DECADE
        made = np.zeros((BINS, 3))
        terms = np.stack([np.ones(len(predicted)), predicted, observed], axis=1)
        np.add.at(made, np.minimum(place.astype(np.int64), BINS - 1), terms)
        self.raw = (self.sums + made).tobytes()

    def merge(self, other: "Bins") -> None:
        self.raw = (self.sums + other.sums).tobytes()

    def tenths(self) -> list[Calibration]:
        """Neighbouring bins put together to about ten equal parts, lowest predictions first."""
        sums, found = self.sums, list[Calibration]()
        total = float(sums[:, 0].sum())
        held = np.zeros(3)
        for each in sums:
            held = held + each
            done = sum(one.actions for one in found) + held[0]
            if held[0] and done >= total * (len(found) + 1) / TENTHS:
                found.append(_of(held))
                held = np.zeros(3)
        return found


def _of(held: Floats) -> Calibration:
    count, predicted, observed = (float(one) for one in held)
    return Calibration(actions=int(count), predicted=predicted / count, observed=observed / count)
