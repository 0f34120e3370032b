"""Makes the Open Bandit fixture of the estimators' tests: logs, and what obp 0.5.7 itself says of them.

    python -m tests.benchmarks.open_bandit OBP_FOLDER

OBP_FOLDER is obp 0.5.7's unpacked source distribution, in an environment where it can be imported (scikit-learn 1.7,
pandas 2, tqdm, seaborn, pyieoe). Its sample of the Open Bandit Dataset is 10,000 rows for each campaign and policy. The
target's chances are those that obp's BernoulliTS finds by 100,000 draws with seed 12345; the reward model is logistic
regression (max_iter 1000) cross-fitted on 3 folds, all with seed 12345.

Written: arrays in open_bandit.npz and obp's figures in open_bandit.json.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

HERE: Final = Path(__file__).resolve().parents[1] / "unit" / "policies" / "estimators"
CASES: Final = {"all_random": ("random", "all"), "men_random": ("random", "men"), "all_bts": ("bts", "all")}
SEED: Final = 12345


def made(behaviour: str, campaign: str) -> tuple[dict[str, Any], dict[str, float]]:
    """The arrays of one log, and obp's figures."""
    linear: Any = import_module("sklearn.linear_model")
    data: Any = import_module("obp.dataset").OpenBanditDataset(behavior_policy=behaviour, campaign=campaign)
    feedback: Any = data.obtain_batch_bandit_feedback()
    n, chances = int(feedback["n_rounds"]), _target(behaviour, campaign, data)
    ope: Any = import_module("obp.ope")
    base = linear.LogisticRegression(max_iter=1000, random_state=SEED)
    regression = ope.RegressionModel(
        n_actions=data.n_actions, len_list=data.len_list, action_context=data.action_context, base_model=base
    )
    named = {name: feedback[name] for name in ("context", "action", "reward", "position", "pscore")}
    q = regression.fit_predict(**named, n_folds=3, random_state=SEED)
    estimators = {
        "ips": ope.InverseProbabilityWeighting(),
        "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
        "dm": ope.DirectMethod(),
        "dr": ope.DoublyRobust(),
        "sndr": ope.SelfNormalizedDoublyRobust(),
        "switch-dr": ope.SwitchDoublyRobust(lambda_=5),
        "dros": ope.DoublyRobustWithShrinkage(lambda_=10),
    }
    whole = np.tile(chances, (n, 1, 1))
    rows, action, position = np.arange(n), feedback["action"], feedback["position"]
    told = {
        name: float(
            estimator.estimate_policy_value(
                reward=feedback["reward"],
                action=action,
                position=position,
                pscore=feedback["pscore"],
                action_dist=whole,
                estimated_rewards_by_reg_model=q,
            )
        )
        for name, estimator in estimators.items()
    }
    arrays = {
        "reward": np.asarray(feedback["reward"], dtype=np.uint8),
        "pscore": np.asarray(feedback["pscore"]),
        "action": np.asarray(action, dtype=np.uint8),
        "position": np.asarray(position, dtype=np.uint8),
        "chances": chances,
        "q_logged": q[rows, action, position],
        "v_target": (chances.T[position] * q[rows, :, position]).sum(axis=1),
    }
    return arrays, told


def _target(behaviour: str, campaign: str, data: Any) -> Any:
    """[actions, slots] what the other policy would do."""
    policy: Any = import_module("obp.policy")
    if behaviour == "bts":
        return np.full((data.n_actions, data.len_list), 1 / data.n_actions)
    sampler = policy.BernoulliTS(
        n_actions=data.n_actions, len_list=data.len_list, is_zozotown_prior=True, campaign=campaign, random_state=SEED
    )
    return sampler.compute_batch_action_dist(n_sim=100_000, n_rounds=1)[0]


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    sys.path.insert(0, str(given.folder))
    arrays: dict[str, Any] = {}
    figures: dict[str, dict[str, float]] = {}
    for name, (behaviour, campaign) in CASES.items():
        found, figures[name] = made(behaviour, campaign)
        arrays |= {f"{name}_{column}": values for column, values in found.items()}
    np.savez_compressed(given.out / "open_bandit.npz", **arrays)
    (given.out / "open_bandit.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
