"""The table of the wiring says what the agents themselves say."""

import pytest

from agents.wiring import FLOWS, AgentOptions, build
from streams.topics import TOPICS

OPTIONS = AgentOptions(refresh_interval_ms=3_600_000, attribution_window_ms=86_400_000, review_ms=86_400_000)


@pytest.mark.parametrize("name", FLOWS)
def test_an_agent_reads_watches_and_emits_what_the_table_says(name: str) -> None:
    agent, flow = build(name, OPTIONS), FLOWS[name]
    assert agent.name == name
    assert set(agent.reads) == set(flow.reads)
    assert set(agent.watches) == set(flow.watches)
    assert set(agent.emits) == set(flow.emits)


def test_every_topic_is_read_by_at_most_one_agent() -> None:
    read = [topic for flow in FLOWS.values() for topic in flow.reads]
    assert len(read) == len(set(read))


def test_every_topic_has_a_place() -> None:
    touched = {topic.name for flow in FLOWS.values() for topic in (*flow.reads, *flow.watches, *flow.emits)}
    assert {topic.name for topic in TOPICS} - touched == {"dead-letters"}  # written by the worker itself
