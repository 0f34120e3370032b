"""Any change of any decision shows: a recorded history leads to the bytes that are checked in."""

import json

from tests.unit.replay.golden import EXPECTED, made


def test_a_recorded_history_leads_to_the_same_bytes() -> None:
    """If a decision was changed on purpose: `python -m tests.unit.replay.golden`, and say so in the changelog."""
    found = made()
    assert found["decisions"]["lines"] > 50  # type: ignore[operator]
    assert found == json.loads(EXPECTED.read_text(encoding="utf-8"))
