"""Tradewind's worker as the benchmark starts it: `infra.serving.worker.run` with one agent.

    python -m tests.benchmarks.engine.worker AGENT [--at-least-once] [--stages FILE]

Its settings are the product's own (TRADEWIND_…); what it reads lies under the benchmark's shared prefix.
"""

import argparse
from pathlib import Path

import infra.serving.task
from agents.wiring import FLOWS
from infra import logs, provision
from infra.serving.app import group_of
from infra.serving.worker import serve
from tests.benchmarks.engine.agents import agent_of
from tests.benchmarks.engine.place import Placed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("agent")
    parser.add_argument("--at-least-once", action="store_true")
    parser.add_argument("--stages", type=Path)
    given = parser.parse_args()
    settings = Placed()
    logs.configure(settings.log_level)
    if given.at_least_once:
        from tests.benchmarks.engine.at_least_once import PlainOutbox

        setattr(infra.serving.task, "Outbox", PlainOutbox)
    if given.stages is not None:
        from tests.benchmarks.engine import stages

        stages.watch(given.stages)
    cast = [agent_of(given.agent, settings)]
    provision.ensure(settings, cast)
    group = group_of(settings, [given.agent], FLOWS)
    serve(settings, cast, group=group, announce=lambda text: print(text, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
