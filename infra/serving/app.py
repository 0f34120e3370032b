"""The Faust app of a worker: its group, its agents, its lifecycle. Importing this starts nothing; `build` does."""

from collections.abc import Iterable, Sequence
from typing import Any

import faust
from faust.types import TP

from agents import wiring
from agents.contract import Agent
from infra.cluster.clients import Partition
from infra.serving.assignor import TaskAssignor
from infra.serving.ownership import Ownership
from infra.serving.transport import BatchTransport, Whole
from infra.settings import Settings


class WorkerApp(faust.App):
    """Faust's app on the batch transport, that tells the ownership of each rebalance in its place."""

    settings: Settings
    ownership: Ownership
    task_assignor: TaskAssignor

    def _new_transport(self) -> BatchTransport:
        transport = BatchTransport(self.conf.broker_consumer, self)
        transport.settings = self.settings
        transport.feed = self.ownership
        transport.assignor = self.task_assignor
        return transport

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super()._on_partitions_revoked(revoked)
        await self.ownership.on_revoked()

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        await self.ownership.on_assigned(Partition(*tp) for tp in assigned)
        await super()._on_partitions_assigned(assigned, generation_id)

    async def _wait_for_table_recovery_completed(self) -> bool:
        """There are no tables; and to wait for the first assignment here would hold up whatever ends the process."""
        return True

    def _create_directories(self) -> None:
        """Faust keeps nothing on disk here."""


def group_of(settings: Settings, agents: Iterable[str], everything: Iterable[str]) -> str:
    """The consumer group: one for all agents, or one for each choice of them, since its members must read the same.

    >>> group_of(Settings(), ["orders", "items"], ["items", "orders", "bidding"])
    'tradewind.items+orders'
    """
    chosen = sorted(agents)
    return settings.identity if chosen == sorted(everything) else f"{settings.identity}.{'+'.join(chosen)}"


def build(settings: Settings, agents: Sequence[Agent], ownership: Ownership, group: str) -> WorkerApp:
    """The app, ready to start: `await app.start()`."""
    broker = ";".join(f"kafka://{server}" for server in settings.servers)
    options: dict[str, Any] = {
        "broker": broker,
        "autodiscover": False,
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "topic_partitions": settings.partitions,
        "store": "memory://",
        "stream_wait_empty": False,
        "stream_buffer_maxsize": 64,
        "stream_recovery_delay": 0.0,
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": settings.session_timeout_s,
        "broker_max_poll_records": settings.batch_max_records * 4,
        "producer_request_timeout": settings.start_timeout_s,
    }
    app = WorkerApp(group, **options)
    app.settings = settings
    app.ownership = ownership
    app.task_assignor = TaskAssignor(
        {agent.name: tuple(settings.topic(topic.name) for topic in agent.reads) for agent in agents}
    )
    wiring.attach(app, agents, topic_name=settings.topic, schema=Whole(), accept=ownership.accept)
    return app
