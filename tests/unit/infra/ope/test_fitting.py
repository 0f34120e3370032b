"""`tradewind ope` fits a reward model of its own where a log has actions and contexts and brings none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from infra.commands.ope import app
from infra.ope.decision import row
from infra.ope.spool import MOST_SAID, Spool

Lines = list[dict[str, Any]]
MODELLED = {"dm", "dr", "sndr", "switch-dr", "dros", "mrdr"}


def log(n: int, *, actions: int = 3, seed: int = 0) -> tuple[Lines, float]:
    """Rewards that hang on the context, by action; and what the target earns on these contexts."""
    rng = np.random.default_rng(seed)
    x, shop = rng.normal(size=(n, 2)), rng.integers(0, 2, n)
    slopes = np.random.default_rng(9).normal(size=(actions, 2))
    mean = 10.0 + x @ slopes.T + 2.0 * shop[:, None] * np.arange(actions)
    target = np.exp(mean / 2 - mean.max(axis=1, keepdims=True) / 2)
    target /= target.sum(axis=1, keepdims=True)
    lines: Lines = []
    for i in range(n):
        action = int(rng.integers(actions))
        lines.append(
            {
                "decision_id": i,
                "action": f"a{action}",
                "context": {"x": x[i].tolist(), "shop": "big" if shop[i] else "small", "vip": bool(shop[i])},
                "propensity": 1 / actions,
                "target_propensity": float(target[i, action]),
                "reward": float(mean[i, action] + 0.3 * rng.normal()),
                "target_distribution": {f"a{k}": float(each) for k, each in enumerate(target[i])},
            }
        )
    return lines, float((target * mean).sum(axis=1).mean())


def told(path: Path, lines: Lines, *options: str) -> dict[str, Any]:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = CliRunner().invoke(app, [str(path), "--json", *options], catch_exceptions=False)
    assert found.exit_code == 0
    said = json.loads(found.stdout)
    said["excluded"] = {name: many for name, many in said["excluded"].items() if many}
    return said


def without(lines: Lines, *fields: str) -> Lines:
    return [{name: value for name, value in line.items() if name not in fields} for line in lines]


def test_it_comes_near_the_truth_and_narrows_the_interval(tmp_path: Path) -> None:
    lines, truth = log(1500)
    found = told(tmp_path / "log", lines)
    assert found["reward_model"] == "fitted"
    estimates = found["estimators"]
    assert estimates.keys() >= MODELLED
    for name in MODELLED:
        assert estimates[name]["value"] == pytest.approx(truth, abs=0.06), name
    width = {name: one["high"] - one["low"] for name, one in estimates.items()}
    assert width["dr"] < 0.9 * width["snips"]  # what contexts differ by, no model takes away
    assert any("fitted here" in reason and "3 actions" in reason for reason in found["reasons"])


def test_a_line_is_not_predicted_from_its_own_reward(tmp_path: Path) -> None:
    """A context of noise as wide as the log is long explains no reward, unless each line sees its own."""
    rng = np.random.default_rng(3)
    lines, _ = log(120)
    noise = [{**line, "context": rng.normal(size=60).tolist(), "reward": float(rng.normal())} for line in lines]
    found = told(tmp_path / "log", noise)["estimators"]
    assert found["dr"]["high"] - found["dr"]["low"] > 0.5 * (found["ips"]["high"] - found["ips"]["low"])


def test_what_lines_leave_no_choice_about_needs_no_distribution(tmp_path: Path) -> None:
    lines, _ = log(300, actions=2)
    whole = told(tmp_path / "two", lines)
    assert told(tmp_path / "bare", without(lines, "target_distribution"))["estimators"]["dr"]["high"] == pytest.approx(
        whole["estimators"]["dr"]["high"]
    )
    fixed = {"a0": 0.2, "a1": 0.5, "a2": 0.3}
    lines = [{**line, "target_propensity": fixed[line["action"]]} for line in log(300)[0]]
    whole = told(tmp_path / "all", [{**line, "target_distribution": fixed} for line in lines])
    bare = told(tmp_path / "none", without(lines, "target_distribution"))
    assert bare["estimators"]["dm"]["value"] == pytest.approx(whole["estimators"]["dm"]["value"])
    assert any("the same in every context" in reason for reason in bare["reasons"])


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        (("target_distribution",), "give target_distribution"),
        (("action",), "no line names an action or a reward_model"),
    ],
)
def test_where_it_cannot_it_says_what_is_needed(lacks: tuple[str, ...], words: str, tmp_path: Path) -> None:
    found = told(tmp_path / "log", without(log(300)[0], *lacks))
    assert found["reward_model"] == "none"
    assert not MODELLED & found["estimators"].keys()
    assert any("not estimated" in reason and words in reason for reason in found["reasons"])
    assert found["verdict"] == "ok"


def test_contexts_of_any_kind(tmp_path: Path) -> None:
    """Missing ones, odd ones, huge ones: no line is lost, and it is said."""
    lines, _ = log(300)
    odd: list[Any] = [None, "text", 3, [1, "x", {"a": [True]}], {"": 1e300}, [[[[[[1]]]]]], {}, 10**400]
    for line, context in zip(lines, odd, strict=False):
        line["context"] = context
    found = told(tmp_path / "log", [*lines, *lines[:4]])
    assert found["n"] == 300
    assert found["excluded"] == {"duplicate": 4}
    assert found["estimators"].keys() >= MODELLED
    assert any("have no context" in reason for reason in found["reasons"])
    none = told(tmp_path / "none", without(lines, "context"))
    assert any("without a context" in reason for reason in none["reasons"])


def test_what_a_target_would_do_must_be_a_distribution(tmp_path: Path) -> None:
    lines, _ = log(300)
    lines[0]["target_distribution"] = {"a0": 0.5}
    lines[1]["target_distribution"] = {"a0": 1.5, "a1": -0.5}
    lines[2]["target_propensity"] = 0.123
    twice = {**lines[5], "context": {"x": 1}}
    found = told(tmp_path / "log", [*lines, twice])
    assert found["excluded"] == {"target-distribution-not-a-distribution": 2, "conflicting-duplicate": 2}
    assert any(reason.startswith("1 lines' target_distribution") for reason in found["reasons"])


def test_many_actions_share_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.ope.fitting.MOST_NUMBERS", 50)
    monkeypatch.setattr("infra.ope.fitting.MOST_PREDICTED", 100)
    found = told(tmp_path / "log", log(300, actions=7)[0])
    assert found["estimators"].keys() >= MODELLED
    assert any("rarer actions" in reason for reason in found["reasons"])


def test_actions_beyond_those_that_are_counted_are_taken_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.ope.fitting.MOST_ACTIONS", 4)
    lines = log(300, actions=7)[0]
    found = told(tmp_path / "log", lines)
    assert found["estimators"].keys() >= MODELLED
    assert found["n"] == 300
    first = set(list(dict.fromkeys([lines[0]["action"], *lines[0]["target_distribution"]]))[:4])
    later = sum(line["action"] not in first for line in lines)
    assert any(f"expected to earn the same: those of {later} lines" in reason for reason in found["reasons"])
    bare = told(tmp_path / "bare", without(lines, "target_distribution"))
    assert any("give target_distribution" in reason for reason in bare["reasons"])


def test_rewards_out_of_range_teach_nothing(tmp_path: Path) -> None:
    lines, _ = log(300)
    far = [*lines, {**lines[0], "decision_id": "far", "reward": 1e9}]
    found = told(tmp_path / "log", far, "--reward-low", "0", "--reward-high", "30")
    plain = told(tmp_path / "plain", lines, "--reward-low", "0", "--reward-high", "30")
    assert found["excluded"] == {"reward-out-of-range": 1}
    assert found["estimators"]["dm"]["value"] == pytest.approx(plain["estimators"]["dm"]["value"])


def test_what_lines_say_is_held_in_memory_a_part_at_a_time() -> None:
    wide = {f"f{n}": float(n) for n in range(1000)}
    some = row(json.dumps({"decision_id": 1, "action": "a", "context": wide, "propensity": 1.0,
                           "target_propensity": 1.0, "reward": 1.0}).encode(), None)  # fmt: skip
    rows = 2 * MOST_SAID // len(wide) + 10
    with Spool() as spool:
        for at in range(rows):
            spool.add(some._replace(id=at.to_bytes(16, "little")))
        spool.without_duplicates()
        sizes = [(len(block.numbers), len(block.situations)) for block in spool.blocks()]
    assert sizes == [(MOST_SAID // len(wide),) * 2] * 2 + [(10, 10)]
