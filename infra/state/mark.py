"""How far a task has come in its inputs, and its entries on disk in the changelog. Data only."""

import msgspec


class Progress(msgspec.Struct):
    """The last offset applied of each input topic (without prefix), and the task's event time.

    `lineage` is drawn once for a changelog: a store that bears another one belongs to another changelog.
    """

    applied: dict[str, int] = {}
    now: int = 0
    lineage: str = ""


class Mark(msgspec.Struct):
    """Up to where the changelog is in the entries: to the Progress at its offset `at` (-1: nothing is)."""

    at: int = -1
    progress: Progress = msgspec.field(default_factory=Progress)
    count: int = 0  # of entries, as near as it is known
    saved_at: float = 0.0  # wall clock, seconds
