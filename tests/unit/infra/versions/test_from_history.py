"""A history that nothing can be learned from is called that, and no candidate is said to have failed."""

from pathlib import Path

import pytest

from infra.errors import UserError
from infra.versions.pretrained import from_history

OUTPUT = b'{"topic":"recommendations","partition":0,"offset":0,"key":"u","value":{},"timestamp":1795388127196}\n'


@pytest.mark.parametrize("held", [b"", OUTPUT])
def test_a_history_without_input(tmp_path: Path, held: bytes) -> None:
    events = tmp_path / "h.jsonl"
    events.write_bytes(held)
    with pytest.raises(UserError, match="no message that an agent reads"):
        from_history("recommendation", events)


def test_a_history_of_too_little(tmp_path: Path) -> None:
    events = tmp_path / "h.jsonl"
    events.write_bytes(
        b'{"topic":"user-events","partition":0,"offset":0,"key":"u","timestamp":1795388127196,"value":'
        b'{"event_id":"e","user_id":"u","type":"request","occurred_at":1795388127196}}\n'
    )
    with pytest.raises(UserError, match="passed the gate"):
        from_history("recommendation", events)
