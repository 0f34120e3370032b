"""`tradewind ope` on logs as they come: right, wrong, damaged, doubled."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from infra.commands.ope import app
from infra.errors import UserError

Lines = list[Any]


def good(n: int, *, model: bool = False) -> Lines:
    rng = np.random.default_rng(1)
    lines: Lines = []
    for i in range(n):
        p, pi = rng.dirichlet(np.ones(3) * 4), rng.dirichlet(np.ones(3) * 4)
        action = int(rng.choice(3, p=p))
        line: dict[str, Any] = {"decision_id": f"d{i}", "propensity": p[action], "target_propensity": pi[action]}
        line["reward"] = int(rng.random() < 0.3 + 0.2 * action)
        if model:
            line |= {"action": action, "reward_model": [0.3, 0.5, 0.7], "target_distribution": pi.tolist()}
        lines.append(line)
    return lines


def written(path: Path, lines: Lines) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def told(path: Path | str, *options: str, given: bytes | None = None) -> dict[str, Any]:
    found = CliRunner().invoke(app, [str(path), "--json", *options], input=given, catch_exceptions=False)
    assert found.exit_code == 0
    return json.loads(found.stdout)


def test_a_good_log(tmp_path: Path) -> None:
    lines = good(800)
    found = told(written(tmp_path / "log.jsonl", lines))
    w = np.array([line["target_propensity"] / line["propensity"] for line in lines])
    r = np.array([line["reward"] for line in lines])
    assert (found["n"], found["verdict"], found["reasons"][:-1]) == (800, "ok", [])
    assert found["ess"] == pytest.approx(w.sum() ** 2 / (w * w).sum())
    assert found["max_weight"] == pytest.approx(w.max())
    assert found["estimators"]["ips"]["value"] == pytest.approx((w * r).mean())
    assert found["estimators"]["snips"]["value"] == pytest.approx((w * r).sum() / w.sum())
    assert set(found["estimators"]) == {"ips", "clipped-ips", "snips"}
    for estimate in found["estimators"].values():
        assert estimate["low"] < estimate["value"] < estimate["high"]


def test_a_reward_model_by_action_brings_the_other_estimators(tmp_path: Path) -> None:
    lines = good(300, model=True)
    found = told(written(tmp_path / "log.jsonl", lines))["estimators"]
    assert set(found) == {"ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dros", "mrdr"}
    v = np.mean([np.dot(line["target_distribution"], line["reward_model"]) for line in lines])
    assert found["dm"]["value"] == pytest.approx(v)
    two = [
        {**line, "reward_model": line["reward_model"][line["action"]],
         "target_reward_model": float(np.dot(line["target_distribution"], line["reward_model"]))}
        for line in lines
    ]  # fmt: skip
    again = told(written(tmp_path / "two.jsonl", two))["estimators"]
    for name, estimate in found.items():
        assert again[name]["value"] == pytest.approx(estimate["value"]), name


BAD: list[tuple[str, Any]] = [
    ("propensity-zero", {"decision_id": "x", "propensity": 0, "reward": 1, "target_propensity": 0.5}),
    ("propensity-negative", {"decision_id": "x", "propensity": -0.1, "reward": 1, "target_propensity": 0.5}),
    ("propensity-above-one", {"decision_id": "x", "propensity": 1.0001, "reward": 1, "target_propensity": 0.5}),
    ("target-propensity-negative", {"decision_id": "x", "propensity": 0.5, "reward": 1, "target_propensity": -0.1}),
    ("target-propensity-above-one", {"decision_id": "x", "propensity": 0.5, "reward": 1, "target_propensity": 1.2}),
    ("not-finite", '{"decision_id": "x", "propensity": NaN, "reward": 1, "target_propensity": 0.5}'),
    ("not-finite", '{"decision_id": "x", "propensity": 0.5, "reward": -Infinity, "target_propensity": 0.5}'),
    ("not-finite", '{"decision_id": "x", "propensity": 0.5, "reward": 1e999, "target_propensity": 0.5}'),
    ("propensity-too-small", {"decision_id": "x", "propensity": 5e-324, "reward": 1, "target_propensity": 0.5}),
    ("reward-too-large", {"decision_id": "x", "propensity": 0.5, "reward": -1e200, "target_propensity": 0.5}),
    ("not-json", '\ufeff\ufeff{"decision_id": "x", "propensity": 0.5, "reward": 1, "target_propensity": 0.5}'),
    ("reward-not-a-number", {"decision_id": "x", "propensity": 0.5, "reward": "1", "target_propensity": 0.5}),
    ("reward-not-a-number", {"decision_id": "x", "propensity": 0.5, "reward": True, "target_propensity": 0.5}),
    ("missing-propensity", {"decision_id": "x", "reward": 1, "target_propensity": 0.5}),
    ("missing-target-propensity", {"decision_id": "x", "propensity": 0.5, "reward": 1}),
    ("missing-decision-id", {"propensity": 0.5, "reward": 1, "target_propensity": 0.5}),
    ("reward-without-decision", {"decision_id": "x", "reward": 1}),
    ("immature", {"decision_id": "x", "propensity": 0.5, "target_propensity": 0.5}),
    ("immature", {"decision_id": "x", "propensity": 0.5, "reward": None, "target_propensity": 0.5}),
    ("fallback", {"decision_id": "x", "propensity": 1, "reward": 1, "target_propensity": 0.5, "fallback": True}),
    ("not-json", '{"decision_id": "x", "prop'),
    ("not-json", "[" * 100_000),
    ("not-an-object", "[1, 2]"),
    ("slate-among-decisions", {"decision_id": "x", "propensity": [0.5], "reward": [1], "target_propensity": [0.5]}),
    ("duplicate", {"decision_id": "d5"}),
]


@pytest.mark.parametrize(("name", "line"), BAD)
def test_every_bad_line_is_counted_by_name(name: str, line: Any, tmp_path: Path) -> None:
    lines = good(300)
    added = lines[5] if name == "duplicate" else line
    found = told(written(tmp_path / "log.jsonl", [*lines, added]))
    assert found["excluded"][name] == 1
    assert found["n"] == 300
    assert f"1 left out: {name}" in found["reasons"]
    assert found["lines"] == 301


def test_of_rows_that_contradict_each_other_none_is_believed(tmp_path: Path) -> None:
    lines = good(300)
    found = told(written(tmp_path / "log.jsonl", [*lines, {**lines[7], "reward": 1 - lines[7]["reward"]}]))
    assert (found["n"], found["excluded"]["conflicting-duplicate"]) == (299, 2)


def test_a_log_of_bad_lines_is_refused(tmp_path: Path) -> None:
    lines = [line for name, line in BAD if name not in {"duplicate", "slate-among-decisions"}]
    found = told(written(tmp_path / "log.jsonl", lines))
    assert (found["n"], found["verdict"], found["estimators"]) == (0, "refused", {})
    assert sum(found["excluded"].values()) == len(lines) == found["lines"]


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_packed_log_whole_and_cut_off(packed: str, tmp_path: Path) -> None:
    plain = written(tmp_path / "log.jsonl", good(400)).read_bytes()
    if packed == "gzip":
        whole = gzip.compress(plain)
    else:
        zstandard: Any = pytest.importorskip("zstandard")
        whole = zstandard.ZstdCompressor().compress(plain[:9000]) + zstandard.ZstdCompressor().compress(plain[9000:])
    (tmp_path / "log").write_bytes(whole)
    assert told(tmp_path / "log")["estimators"] == told(tmp_path / "log.jsonl")["estimators"]
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    found = told(tmp_path / "cut")
    assert found["excluded"]["damaged-file"] == 1
    assert any("damaged after line" in reason for reason in found["reasons"])
    assert found["n"] < 400


def test_a_log_cut_off_in_its_first_line_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(gzip.compress(written(tmp_path / "log.jsonl", good(1)).read_bytes())[:12])
    with pytest.raises(UserError, match="is damaged before its first line ends"):
        told(tmp_path / "cut")


def test_marks_of_byte_order_and_whole_numbers_as_floats_are_read(tmp_path: Path) -> None:
    lines = good(300, model=True)
    odd = [{**line, "action": float(line["action"])} for line in lines]
    (tmp_path / "odd").write_bytes(b"\xef\xbb\xbf" + written(tmp_path / "plain", odd).read_bytes())
    assert told(tmp_path / "odd")["estimators"] == told(written(tmp_path / "log", lines))["estimators"]


def test_a_reward_model_without_a_target_distribution_costs_no_line(tmp_path: Path) -> None:
    lines = good(300, model=True)
    bare: Lines = [{name: value for name, value in line.items() if name != "target_distribution"} for line in lines]
    found = told(written(tmp_path / "bare", bare))
    assert (found["n"], found["verdict"], found["reward_model"]) == (300, "ok", "none")
    assert any("the reward_model of 300 lines isn't used" in reason for reason in found["reasons"])
    given = [{**line, "target_reward_model": 0.5} for line in bare]
    assert told(written(tmp_path / "given", given))["estimators"]["dm"]["value"] == pytest.approx(0.5)
    sure = [{**line, "target_propensity": 1.0} for line in bare]
    found = told(written(tmp_path / "sure", sure))["estimators"]["dm"]
    assert found["value"] == pytest.approx(np.mean([line["reward_model"][line["action"]] for line in lines]))
    two: Lines = [{**line, "reward_model": {"0": 0.2, "1": 0.6}, "action": line["action"] % 2} for line in bare]
    found = told(written(tmp_path / "two", two))["estimators"]["dm"]
    pi = [line["target_propensity"] if line["action"] else 1 - line["target_propensity"] for line in two]
    assert found["value"] == pytest.approx(0.2 + 0.4 * np.mean(pi))


def test_where_nothing_tells_how_far_off_it_is_no_interval_is_told(tmp_path: Path) -> None:
    lines = good(300)
    never = told(written(tmp_path / "never", [{**line, "target_propensity": 0.0} for line in lines]))
    same = told(written(tmp_path / "same", [{**line, "reward": 1} for line in lines]))
    for found in (never, same):
        assert found["verdict"] == "refused"
        assert (found["estimators"]["ips"]["low"], found["estimators"]["ips"]["high"]) == (None, None)
    ranged = told(tmp_path / "same", "--reward-low", "0", "--reward-high", "1")["estimators"]["ips"]
    assert ranged["low"] < 0.999
    assert ranged["high"] == pytest.approx(ranged["value"], abs=0.1)


def test_the_share_of_the_target_that_was_never_logged_widens_the_interval(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    arms = rng.integers(0, 10, 16_000)
    target = np.arange(1.0, 11.0) / 55.0 * 0.95  # 5% of what it does isn't in the log
    rows = [
        {
            "decision_id": i,
            "propensity": 0.1,
            "target_propensity": float(target[arm]),
            "reward": int(rng.random() < 0.3),
        }
        for i, arm in enumerate(arms.tolist())
    ]
    found = told(written(tmp_path / "log", rows))
    ips = found["estimators"]["ips"]
    assert found["verdict"] == "ok"
    assert ips["low"] < 0.95 * 0.3 < 0.95 * 0.3 + 0.05 < ips["high"]  # where none of the rest earns, and where all does
    assert ips["high"] - ips["low"] < 0.1
    assert any("weights are 0.9" in reason for reason in found["reasons"])


def test_slates(tmp_path: Path) -> None:
    one = {"propensity": [0.5, 0.25], "target_propensity": [0.25, 0.5], "reward": [1, 0]}
    lines: Lines = [{**one, "decision_id": i} for i in range(50)]
    lines += [
        {"decision_id": f"s{i}", "propensity": [0.5], "target_propensity": [0.75], "reward": [i % 2]} for i in range(50)
    ]
    lines += [{**one, "decision_id": "bad", "reward": [1]}, {**one, "decision_id": "waits", "reward": [1, None]}]
    found = told(written(tmp_path / "log.jsonl", lines))
    assert found["excluded"]["slots-differ-in-number"] == found["excluded"]["immature"] == 1
    assert found["n"] == 100
    assert found["estimators"]["iips"]["value"] == pytest.approx((50 * 0.5 + 25 * 1.5) / 100)
    assert found["estimators"]["rips"]["value"] == pytest.approx((50 * 0.5 + 25 * 1.5) / 100)
    assert found["estimators"]["pi"]["value"] == pytest.approx((50 * 1.5 + 25 * 1.5) / 100)


def test_standard_input_clusters_and_a_range(tmp_path: Path) -> None:
    lines = [{**line, "user": i % 40} for i, line in enumerate(good(400))]
    lines += [{**lines[0], "decision_id": "far", "reward": 9}]
    given = written(tmp_path / "log.jsonl", lines).read_bytes()
    found = told("-", "--cluster", "user", "--reward-low", "0", "--reward-high", "1", given=given)
    assert found["excluded"]["reward-out-of-range"] == 1
    assert "confidence-sequence" in found["estimators"]["ips"]["intervals"]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_nothing_to_read_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(content)
    for path in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(UserError, match="give"):
            CliRunner().invoke(app, [str(path)], catch_exceptions=False)


def test_the_table(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [str(written(tmp_path / "log.jsonl", good(30)))], catch_exceptions=False)
    assert "verdict: refused" in found.stdout
    assert "snips" in found.stdout
