"""One run under faults: workers kept alive, events flowing in, an onlooker beside it, and the verdict at the end."""

import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

from kafka import KafkaProducer

from infra import provision, settings
from tests.chaos import checker, lag, summary
from tests.chaos.events import Message
from tests.chaos.ledger import BOOKINGS, NAME, Ledger
from tests.chaos.onlooker import Onlooker, sighting, whole
from tests.chaos.reference import Expected, expect
from tests.chaos.supervisor import LEDGER, Supervisor
from tests.kafka.harness import Setting

PARTITIONS: Final = 2
HEALED_S: Final = 120.0  # bound on the way back to a lag of zero: a small machine takes a tenth of it
_TICK_S: Final = 0.05


@dataclass
class Trial:
    """A run of the ledger on one setting. `finish` ends it and fails where a rule was broken."""

    name: str
    seed: int
    setting: Setting
    supervisors: list[Supervisor] = field(default_factory=list[Supervisor])
    faults: int = 0

    def __post_init__(self) -> None:
        print(f"{self.name}: seed {self.seed}")  # noqa: T201 # pytest shows it where the test fails
        self.rng = random.Random(f"{self.name}/{self.seed}")
        provision.ensure(self._settings(), [Ledger()])
        self.onlooker = Onlooker(self.setting.address, self.places(BOOKINGS.name) + self.places("dead-letters"))
        self.onlooker.start()

    def _settings(self) -> settings.Settings:
        return settings.load(bootstrap_servers=self.setting.address, prefix=self.setting.prefix, partitions=PARTITIONS)

    @property
    def group(self) -> str:
        return self._settings().identity

    @property
    def inputs(self) -> str:
        """The topic that the ledger reads, by its full name."""
        return f"{self.setting.prefix}user-events"

    @property
    def changelog(self) -> str:
        return f"{NAME}-changelog"

    def places(self, topic: str) -> list[tuple[str, int]]:
        return [(self.setting.prefix + topic, number) for number in range(PARTITIONS)]

    def supervise(
        self, name: str = "only", program: Callable[[int], Sequence[str]] = lambda _: LEDGER, **more: str
    ) -> Supervisor:
        """Start a worker that is kept alive. Small batches, so that a fault of any moment meets a transaction."""
        supervisor = Supervisor(self.setting, name, program, **{"batch_max_records": "50", **more})
        self.supervisors.append(supervisor)
        supervisor.start()
        return supervisor

    def send(self, messages: Iterable[Message], per_s: float | None = None) -> None:
        """Put messages on their topic by Kafka's own partitioner; returns once the broker has them all."""
        client: Any = KafkaProducer(
            bootstrap_servers=self.setting.address,
            linger_ms=5,
            acks="all",
            max_block_ms=int(HEALED_S * 1000),
            delivery_timeout_ms=int(HEALED_S * 1000),
            max_request_size=2_000_000,
        )
        began = time.monotonic()
        futures: list[Any] = []
        for key, value in messages:
            futures.append(client.send(self.inputs, key=key, value=value))
            if per_s is not None:
                ahead_s = began + len(futures) / per_s - time.monotonic()
                if ahead_s > _TICK_S:
                    time.sleep(ahead_s)
        client.flush(HEALED_S)
        client.close()
        for future in futures:
            future.get(0)

    @contextmanager
    def flowing(self, messages: Iterable[Message], per_s: float) -> Generator[None]:
        """Messages flow in while the block runs; at its end all of them are in."""
        failed: list[BaseException] = []
        over = threading.Event()

        def run() -> None:
            try:
                self.send(takewhile(lambda _: not over.is_set(), messages), per_s)
            except BaseException as error:  # noqa: BLE001 # raised below, on the test's own thread
                failed.append(error)

        sender = threading.Thread(target=run, daemon=True)
        sender.start()
        try:
            yield
        except BaseException:
            over.set()
            raise
        finally:
            sender.join()
        if failed:
            raise failed[0]

    def settle(self) -> float:
        """Wait until all that was sent is handled; how many seconds that took."""
        return lag.until_zero(self.setting.address, self.group, self.inputs, HEALED_S)

    def behind(self) -> int:
        """How many messages the workers have still to handle."""
        return lag.behind(self.setting.address, self.group, self.inputs)

    def written(self) -> int:
        """How many bookings lie in the log, those of aborted transactions too."""
        return len(whole(self.setting.address, self.places(BOOKINGS.name), "read_uncommitted"))

    def finish(self, bad: frozenset[bytes] = frozenset()) -> Expected:
        """Wait until all is healed, stop everything, check, and put a row into the summary."""
        lag_s = self.settle()
        final = self._final()
        self.onlooker.wait(len(final), HEALED_S / 4)
        self.onlooker.stop()
        for supervisor in self.supervisors:
            supervisor.stop()
        log = whole(self.setting.address, self.places("user-events"))
        expected = expect(log, bad=bad)
        findings = self._check(expected, final)
        hidden = self.written() - sum(one.topic.endswith(BOOKINGS.name) for one in final)
        summary.ROWS.append(
            summary.Row(
                fault=self.name,
                seed=self.seed,
                events=len(log),
                faults=self.faults,
                restarts=sum(supervisor.restarts for supervisor in self.supervisors),
                actions=expected.booked,
                letters=len(expected.letters),
                left_aside=expected.left_aside,
                aborted_records=hidden,
                lag_zero_s=round(lag_s, 1),
                findings=findings.counts(),
            )
        )
        assert findings.sound(), f"{self.name}, seed {self.seed}: {findings.counts()}\n" + "\n".join(findings.examples)
        return expected

    def close(self) -> None:
        """Stop everything, whatever became of the run."""
        for supervisor in self.supervisors:
            supervisor.end()
        self.onlooker.close()

    def _final(self) -> list[Any]:
        places = self.places(BOOKINGS.name) + self.places("dead-letters")
        return [sighting(record) for record in whole(self.setting.address, places)]

    def _check(self, expected: Expected, final: list[Any]) -> checker.Findings:
        findings = checker.Findings()
        letters = [one for one in final if one.topic.endswith("dead-letters")]
        checker.check_reading(findings, self.onlooker.seen, final)
        checker.check_bookings(findings, expected, [one for one in final if one.topic.endswith(BOOKINGS.name)])
        checker.check_letters(findings, expected, "user-events", letters)
        changelog = self.places(f"tradewind-{self.changelog}")
        checker.check_state(findings, expected, whole(self.setting.address, changelog))
        return findings


@contextmanager
def trials(setting: Setting, seed: int) -> Generator[Callable[[str], Trial]]:
    """Make runs by the name of their fault; they are over when the block is."""
    with ExitStack() as stack:

        def begin(name: str) -> Trial:
            run = Trial(name, seed, setting)
            stack.callback(run.close)
            return run

        yield begin
