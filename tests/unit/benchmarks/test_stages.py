"""A sampled stack falls to the right stage, and the samples of a run to its events."""

import inspect
from types import FrameType
from typing import Any

import pytest

from tests.benchmarks.engine.contest import Run
from tests.benchmarks.engine.profile import by_stage
from tests.benchmarks.engine.stages import stage_of

RUN = Run(contestant="x", rate=1_000.0, events=400, seconds=0.4, cpu_us=1.0, began_at=1_000, ended_at=1_400)


def stack(*frames: tuple[str, str]) -> FrameType:
    """A frame within these files and functions, the outermost first."""
    calls: dict[str, Any] = {"inner": inspect.currentframe}
    for file, function in reversed(frames):
        scope: dict[str, Any] = {"inner": calls["inner"]}
        exec(compile(f"def {function}():\n    return inner()", file, "exec"), scope)  # noqa: S102 # frames by name
        calls["inner"] = scope[function]
    return calls["inner"]()


TASK, STEP = ("/x/infra/serving/task.py", "_handle"), ("/x/agents/recommendation.py", "step")


@pytest.mark.parametrize(
    ("frames", "stage"),
    [
        ([TASK], "handle"),
        ([TASK, ("/x/streams/codec.py", "decode")], "decode"),
        ([TASK, STEP], "features"),
        ([TASK, STEP, ("/x/policies/slates/slate.py", "choose"), ("/x/policies/linalg.py", "dot")], "decide"),
        ([TASK, STEP, ("/x/agents/contract.py", "done")], "encode"),
        ([TASK, STEP, ("/x/infra/state/store.py", "get")], "state"),
        ([("/x/asyncio/events.py", "_run")], "loop"),
        ([("/x/asyncio/base_events.py", "_run_once"), ("/x/selectors.py", "select")], "waiting"),
    ],
)
def test_the_stage_is_that_of_the_most_telling_frame(frames: list[tuple[str, str]], stage: str) -> None:
    assert stage_of(stack(*frames)) == stage


def test_stages_add_up_to_the_time_of_an_event() -> None:
    counts = {"9": {"loop": 50}, "11": {"decide": 30, "waiting": 10}, "12": {"decide": 10}, "13": {"loop": 50}}
    found = by_stage({"counts": counts}, RUN)
    assert found["decide"] == pytest.approx(400.0)
    assert found["waiting"] == pytest.approx(100.0)
    assert found["loop"] == pytest.approx(500.0)
