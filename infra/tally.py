"""What the tasks of a worker have done so far, counted. No Kafka, no clock."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Totals since the worker's start, over all of its tasks."""

    records: int = 0
    outputs: int = 0
    letters: int = 0
    transactions: int = 0
    ignored: Counter[str] = field(default_factory=Counter[str])

    def snapshot(self) -> tuple[int, int, int, int]:
        """Records in, outputs, dead letters, transactions."""
        return self.records, self.outputs, self.letters, self.transactions
