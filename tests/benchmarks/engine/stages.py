"""Where a worker's time goes: every other millisecond, what the main thread is at.

`watch` is for the worker's process. A timer of the system interrupts the thread; the interpreter runs the handler
between two instructions, so that a call into C is counted where it was made. A sample costs some 10 µs: half a percent.
"""

import atexit
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import orjson

EVERY_S: Final = 0.002
BIN_S: Final = 0.1  # samples are kept by tenths of a second, so that a part of the run can be looked at

# By priority: the first rule that holds for any frame of the stack. (part of the file's path, functions or None: all)
RULES: Final[tuple[tuple[str, str, frozenset[str] | None], ...]] = (
    ("waiting", "selectors.py", frozenset({"select"})),
    ("decide", "policies/slates/slate.py", frozenset({"choose"})),
    ("encode", "streams/codec.py", frozenset({"encode"})),
    ("encode", "agents/contract.py", frozenset({"done", "writes"})),
    ("encode", "infra/serving/task.py", frozenset({"_message"})),
    ("encode", "infra/cluster/envelope.py", None),
    ("encode", "infra/cluster/outbox.py", frozenset({"_pack", "_append"})),
    ("encode", "state/changelog.py", frozenset({"changes"})),
    ("decode", "streams/codec.py", frozenset({"decode"})),
    ("state", "infra/state/", None),
    ("features", "/agents/", frozenset({"step"})),
    ("fetch", "infra/serving/transport.py", None),
    ("fetch", "infra/serving/inbox.py", None),
    ("fetch", "infra/serving/watch.py", None),
    ("fetch", "aiokafka/consumer/", None),
    ("fetch", "site-packages/faust/", None),
    (
        "commit",
        "aiokafka/producer/sender.py",
        frozenset({"_do_txn_commit", "_do_txn_offset_commit", "_do_add_offsets_to_txn", "_do_add_partitions_to_txn"}),
    ),
    (
        "commit",
        "aiokafka/producer/producer.py",
        frozenset({"commit_transaction", "send_offsets_to_transaction", "begin_transaction"}),
    ),
    ("send", "aiokafka/", None),
    ("handle", "infra/serving/task.py", frozenset({"_handle", "_commit"})),
)
STAGES: Final = ("fetch", "decode", "features", "decide", "encode", "state", "send", "commit", "handle", "loop")


class Samples:
    """Counts by tenth of a second and stage."""

    def __init__(self) -> None:
        self.counts: dict[int, Counter[str]] = {}
        self._known: dict[tuple[str, str], dict[str, int]] = {}

    def take(self, _: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        number = int(time.time() / BIN_S)
        if number not in self.counts:
            self.counts[number] = Counter()
        self.counts[number][stage_of(frame)] += 1

    def write(self, path: Path) -> None:
        path.write_bytes(orjson.dumps({"counts": self.counts}, option=orjson.OPT_NON_STR_KEYS))


_RULE_OF: dict[tuple[str, str], int] = {}


def _rule_of(file: str, function: str) -> int:
    """The place of the first rule that holds for a frame; beyond the last where none does."""
    for place, (_, part, functions) in enumerate(RULES):
        if part in file and (functions is None or function in functions):
            return place
    return len(RULES)


def stage_of(frame: FrameType | None) -> str:
    """Which stage a stack is in."""
    best = len(RULES)
    while frame is not None:
        code = frame.f_code
        key = code.co_filename, code.co_name
        place = _RULE_OF.get(key)
        if place is None:
            place = _RULE_OF[key] = _rule_of(*key)
        best = min(best, place)
        frame = frame.f_back
    return RULES[best][0] if best < len(RULES) else "loop"


def watch(path: Path) -> None:
    """Sample this process from now on, and write what was found when it ends."""
    samples = Samples()
    signal.signal(signal.SIGALRM, samples.take)
    signal.siginterrupt(signal.SIGALRM, False)
    signal.setitimer(signal.ITIMER_REAL, EVERY_S, EVERY_S)

    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        samples.write(path)

    atexit.register(stop)
