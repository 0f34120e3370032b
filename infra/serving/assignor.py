"""Who runs which task: all inputs of an agent's partition together, spread evenly, and moved as little as possible."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_VERSION: Final = 0


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A task: the name of its agent, and its partition number."""

    agent: str
    partition: int


def share_out(places: Iterable[Place], held: Mapping[str, set[Place]]) -> dict[str, set[Place]]:
    """Each place to one member: every agent's places evenly, and all together evenly. `held` is who has what now.

    >>> mine = {Place("items", 0), Place("items", 1)}
    >>> {who: len(places) for who, places in share_out(mine, {"a": mine, "b": set()}).items()}
    {'a': 1, 'b': 1}
    """
    given: dict[str, set[Place]] = {member: set() for member in sorted(held)}
    by_agent = sorted(places)
    for _, ours in groupby(by_agent, key=lambda place: place.agent):
        _share_agent(list(ours), held, given)
    return given


def _share_agent(places: list[Place], held: Mapping[str, set[Place]], given: dict[str, set[Place]]) -> None:
    quota, extra = divmod(len(places), len(given))
    lightest = sorted(given, key=lambda who: (len(given[who]), -len(held[who].intersection(places)), who))
    room = {who: quota + (rank < extra) for rank, who in enumerate(lightest)}
    left: list[Place] = []
    for place in places:
        owner = next((who for who in lightest if place in held[who] and room[who] > 0), None)
        if owner is None:
            left.append(place)
        else:
            given[owner].add(place)
            room[owner] -= 1
    for place in left:
        roomiest = max(lightest, key=lambda who: room[who])
        given[roomiest].add(place)
        room[roomiest] -= 1


class TaskAssignor(AbstractPartitionAssignor):
    """The group protocol's side of `share_out`. Members tell each other what they hold in their user data."""

    name = "tradewind-tasks"  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] # as aiokafka's own

    def __init__(self, inputs: Mapping[str, tuple[str, ...]]) -> None:
        """`inputs`: the topics that each agent reads, by the agent's name."""
        self._inputs = inputs
        self._agent_of = {topic: agent for agent, topics in inputs.items() for topic in topics}
        self._held: set[Place] = set()

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:  # type: ignore[override]
        held = json.dumps(sorted([place.agent, place.partition] for place in self._held)).encode()
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), held)

    def on_assignment(self, assignment: Any) -> None:  # type: ignore[override]
        self._held = {
            Place(self._agent_of[topic], partition)
            for topic, partitions in assignment.assignment
            for partition in partitions
        }

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, ConsumerProtocolMemberAssignment]:  # type: ignore[override]
        places = {
            Place(agent, partition)
            for topic, agent in self._agent_of.items()
            for partition in cluster.partitions_for_topic(topic) or ()
        }
        held = {member: _held(metadata.user_data) for member, metadata in members.items()}
        return {member: self._as_protocol(cluster, mine) for member, mine in share_out(places, held).items()}

    def _as_protocol(self, cluster: Any, mine: set[Place]) -> ConsumerProtocolMemberAssignment:
        topics: dict[str, list[int]] = {}
        for place in sorted(mine):
            for topic in self._inputs[place.agent]:
                if place.partition in (cluster.partitions_for_topic(topic) or ()):
                    topics.setdefault(topic, []).append(place.partition)
        return ConsumerProtocolMemberAssignment(_VERSION, sorted(topics.items()), b"")


def _held(user_data: bytes) -> set[Place]:
    return {Place(agent, partition) for agent, partition in json.loads(user_data or b"[]")}
