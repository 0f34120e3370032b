"""`tradewind evaluate cold-start`: RMSE by shots of a CSV of ratings, and one sentence for a file that is none."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.errors import UserError
from infra.evaluate.cold_start import POLICIES, evaluate
from infra.evaluate.ratings import read


def _file(path: Path, users: int = 40) -> Path:
    rng = np.random.default_rng(0)
    bias, own = rng.normal(0, 15, 20), rng.normal(0, 20, users)
    rows = ["timestamp,rating,user,item,note"]
    for user in range(users):
        for at, item in enumerate(rng.permutation(20)[:12]):
            rows.append(f'{at},{50 + bias[item] + own[user] + rng.normal(0, 5):.2f},"u,{user}",i{item},x')
    path.write_text("\n".join(rows))
    return path


def _run(path: Path, policy: str = "meta", shots: str = "0,5", held: float = 0.2) -> dict[str, Any]:
    return evaluate(policy=policy, seed=0, ratings=path, users_held_out=held, shots=shots)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_rates_any_scale(policy: str, tmp_path: Path) -> None:
    found = _run(_file(tmp_path / "r.csv"), policy)
    assert found["users_held_out"] == 8
    assert found["ratings_judged"] == {"0": 56, "5": 56}
    assert all(2.0 < error < 40.0 for error in found["rmse"].values())


def test_a_few_ratings_help(tmp_path: Path) -> None:
    found = _run(_file(tmp_path / "r.csv"))["rmse"]
    assert found["5"] < 0.6 * found["0"]


def test_the_same_ratings_are_judged_at_every_number_of_shots(tmp_path: Path) -> None:
    found = _run(_file(tmp_path / "r.csv"), "item-bias", shots="0,3,7,20")
    assert found["ratings_judged"] == {"0": 40, "3": 40, "7": 40, "20": 0}
    assert found["rmse"]["0"] == found["rmse"]["3"] == found["rmse"]["7"]
    assert found["rmse"]["20"] is None


@pytest.mark.parametrize("rows", [["1"] * 40, ["0.5", "5"] * 20], ids=["constant", "half stars"])
def test_odd_ratings_do_no_harm(rows: list[str], tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    told = [
        f"{n % 13},{n % 3},{rating},7" for n, rating in enumerate(rows)
    ]  # few items, rated again, all at one moment
    path.write_text("\n".join(["user,item,rating,timestamp", *told, *told]))
    found = _run(path)["rmse"]
    assert all(0.0 <= error < 4.6 for error in found.values())
    assert rows[0] != "1" or found["5"] == pytest.approx(0.0, abs=1e-6)


def test_nobody_rated_so_much(tmp_path: Path) -> None:
    assert _run(_file(tmp_path / "r.csv"), shots="12")["rmse"] == {"12": None}


def test_a_handful_of_users_is_enough(tmp_path: Path) -> None:
    assert _run(_file(tmp_path / "r.csv", users=2), held=0.9)["users_held_out"] == 1


def test_ratings_come_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,item,rating,timestamp\na,x,1,30\na,y,2,10\na,z,3,20\na,w,4,10\n")
    assert read(path).rating.tolist() == [2.0, 4.0, 3.0, 1.0]


def test_a_gzip_says_the_same(tmp_path: Path) -> None:
    plain = _file(tmp_path / "r.csv")
    packed = tmp_path / "r.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed).rating.tolist() == read(plain).rating.tolist()


@pytest.mark.parametrize("damage", ["cut short", "damaged", "no gzip"])
def test_a_gzip_that_is_damaged_is_refused(damage: str, tmp_path: Path) -> None:
    raw = gzip.compress(_file(tmp_path / "r.csv").read_bytes())
    packed = tmp_path / "r.csv.gz"
    packed.write_bytes({"cut short": raw[:-20], "damaged": raw[:40] + b"?" + raw[41:], "no gzip": b"no"}[damage])
    with pytest.raises(UserError, match=r"r\.csv\.gz: "):
        read(packed)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("user,item,rating\na,b,1\n", "line 1: no column named timestamp"),
        ("user,item,rating,timestamp\na,b,1,2\na,c,many,3\n", "line 3: the rating 'many' is not a number"),
        ("user,item,rating,timestamp\na,b,nan,2\n", "line 2: the rating 'nan' is not a finite number"),
        ("user,item,rating,timestamp\na,b\n", "line 2: 2 fields where the header has 4"),
        ("user,item,rating,timestamp\n,b,1,1\n", "line 2: no user"),
        ("user,item,rating,timestamp\n", "there are no ratings"),
        ("", "no column"),
        ("user,item,rating,timestamp\na,b,1,1\na,c,2,2\n", "one user only"),
    ],
)
def test_a_file_that_holds_no_ratings_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        _run(path)


@pytest.mark.parametrize("shots", ["", "five", "-1", "1;2", "0.5"])
def test_shots_are_whole_numbers(shots: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="shots"):
        _run(_file(tmp_path / "r.csv"), shots=shots)
