"""The Open Bandit sample: our figures are the published ones, and obp's own on the same arrays.

open_bandit.npz holds 10,000 rows each of three logs of the Open Bandit Dataset (Saito, Aihara, Matsutani and Narita
2021, CC BY 4.0), from the sample inside obp 0.5.7 (Apache 2.0), with a cross-fitted reward model; open_bandit.json what
obp's estimators say of them. tests/benchmarks/open_bandit.py makes both.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies.estimators.judged import Judged
from policies.estimators.judgement import Judgement
from policies.estimators.logged import Logged
from policies.estimators.terms import Terms

HERE = Path(__file__).parent
PUBLISHED = {
    "all_random": {"ips": 0.00455288, "snips": 0.00477583, "dm": 0.00354504, "dr": 0.00472833, "sndr": 0.00478628,
                   "switch-dr": 0.00397445, "dros": 0.00366672},
    "men_random": {"ips": 0.00453356, "snips": 0.00460423},
    "all_bts": {"ips": 0.00235964, "snips": 0.00233371},
}  # fmt: skip
ESS = {"all_random": 1640, "men_random": 2467, "all_bts": 340}


def logged(case: str) -> Logged:
    held: Any = np.load(HERE / "open_bandit.npz")
    chances, action, position = (held[f"{case}_{name}"] for name in ("chances", "action", "position"))
    return Logged(
        reward=held[f"{case}_reward"].astype(np.float64),
        propensity=held[f"{case}_pscore"],
        target_propensity=chances[action, position],
        cluster=np.arange(len(action), dtype=np.uint64),
        q_logged=held[f"{case}_q_logged"],
        v_target=held[f"{case}_v_target"],
    )


def judged(case: str) -> Judgement:
    return Judged.of(logged(case), Terms(switch=5.0, shrink=10.0, replicates=50)).result()


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_figures(case: str) -> None:
    found = judged(case)
    assert found.ess == pytest.approx(ESS[case], abs=0.5)
    for name, figure in PUBLISHED[case].items():
        assert found.estimators[name].value == pytest.approx(figure, abs=5.1e-9), name


@pytest.mark.parametrize("case", PUBLISHED)
def test_obp_says_the_same_of_the_same_arrays(case: str) -> None:
    found = judged(case)
    figures = json.loads((HERE / "open_bandit.json").read_text())[case]
    assert len(figures) == 7
    for name, figure in figures.items():
        assert found.estimators[name].value == pytest.approx(figure, abs=1e-12), name
