"""Any change of any decision shows: a recorded history leads to the bytes that are checked in, on any processor."""

import json
import os
import subprocess
import sys

from tests.unit.replay.golden import EXPECTED, made


def test_a_recorded_history_leads_to_the_same_bytes() -> None:
    """If a decision was changed on purpose: `python -m tests.unit.replay.golden`, and say so in the changelog."""
    found = made()
    assert found["decisions"]["lines"] > 50  # type: ignore[operator]
    assert found == json.loads(EXPECTED.read_text(encoding="utf-8"))


def test_it_does_so_where_the_libraries_round_otherwise() -> None:
    """numpy and torch choose their code by the processor: see docs/adr/0002."""
    there = os.environ | {"ATEN_CPU_CAPABILITY": "default"}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.unit.replay.elsewhere"], env=there, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == json.loads(EXPECTED.read_text(encoding="utf-8"))
