"""What the tasks of a worker have done so far, counted. No Kafka, no clock."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field

from streams.records import DeadLetter


@dataclass(slots=True)
class Tally:
    """Totals since the worker's start, over all of its tasks. Topics go by the names of their contracts."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # by topic and agent
    outputs: Counter[str] = field(default_factory=Counter[str])  # by topic
    letters: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])  # by topic and reason
    ignored: Counter[str] = field(default_factory=Counter[str])  # by reason
    transactions: int = 0

    def committed(
        self, outputs: Mapping[str, Sized], letters: Iterable[DeadLetter], ignored: Mapping[str, int]
    ) -> None:
        """Count one transaction: its outputs by topic, and the inputs left aside by reason."""
        self.transactions += 1
        for topic, records in outputs.items():
            self.outputs[topic] += len(records)
        self.letters.update([(letter.topic, letter.reason) for letter in letters])
        self.ignored.update(ignored)

    def snapshot(self) -> tuple[int, int, int, int]:
        """Records in, outputs, dead letters, transactions."""
        return self.records.total(), self.outputs.total(), self.letters.total(), self.transactions
