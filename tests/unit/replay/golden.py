"""The golden replay: what the agents make of a recorded history, to the byte. `golden.jsonl.gz` is the history.

python -m tests.unit.replay.golden            # a decision was changed on purpose: write golden.json anew
python -m tests.unit.replay.golden --history  # make the history anew too, from the shop of tests/contract/world.py
"""

import gzip
import json
import sys
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from infra.history.lines import write
from infra.history.message import Message
from infra.replay.cast import chosen
from infra.replay.history import replayed
from infra.settings import load
from streams.codec import encode
from streams.records import CatalogItem, Supply
from streams.topics import CATALOG
from tests.contract import world
from tests.unit.judging.log import LOGGED, STREAMS, logged

HERE: Final = Path(__file__).parent
HISTORY: Final = HERE / "golden.jsonl.gz"
EXPECTED: Final = HERE / "golden.json"
EVENTS: Final = 150  # of each stream


def history() -> bytes:
    """A catalog, and what happens in the shop, one stream after the other."""
    items = [CatalogItem(item_id=item, category=f"c{n % 3}", supply=Supply()) for n, item in enumerate(world.ITEMS)]
    lines = [write(Message(CATALOG, one.item_id.encode(), encode(one), LOGGED)) for one in items]
    for name, stream in STREAMS.items():
        lines += [
            write(one._replace(offset=None))
            for one in logged(stream(Random(name), EVENTS))
            if one.topic.role == "input" and one.topic is not CATALOG
        ]
    return b"".join(lines)


def made() -> dict[str, dict[str, int | str]]:
    """Of every topic that the agents write on: how many lines, and their hash."""
    with TemporaryDirectory() as folder:
        replayed(HISTORY, chosen(None, load()), out=Path(folder))
        found = {file.stem: file.read_bytes() for file in sorted(Path(folder).iterdir())}
    return {name: {"lines": raw.count(b"\n"), "sha256": sha256(raw).hexdigest()} for name, raw in found.items() if raw}


def main() -> None:
    if "--history" in sys.argv:
        HISTORY.write_bytes(gzip.compress(history(), mtime=0))
    EXPECTED.write_text(json.dumps(made(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
