"""Our bandit against Vowpal Wabbit on the same tasks, in turns: so many tasks each, then the next, until all are done.

Vowpal Wabbit plays squarecb, cover and regcb, as they come and tuned: for each, settings drawn at random (learning
rate and its decay, exploration, costs scaled into [0, 1], weights per task crossed with the features) play the tasks of
seeds that are not measured, and the best of them goes on. It has a process of its own; ours is this one. Both have one
thread, and their time is CPU time: on a machine with other work, the clock on the wall measures that work.
"""

import json
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import numpy as np

from infra.evaluate.bandit import MAKERS
from policies.contract import Situation, Transition
from policies.tasks.shopper import Shoppers, Task, task
from tests.benchmarks.learning.environment import ensure

TURN: Final = 10  # tasks
TUNED_ON: Final = 5_000  # the first seed that settings are tuned on
EXPLORATIONS: Final[dict[str, tuple[str, ...]]] = {
    "squarecb": ("--squarecb", "--squarecb --gamma_scale 100", "--squarecb --gamma_scale 1000"),
    "cover": ("--cover 3", "--cover 3 --epsilon 0", "--cover 10 --psi 0.1"),
    "regcb": ("--regcb", "--regcb --mellowness 0.01", "--regcb --mellowness 0.001"),
}
RATES: Final = ("", "-l 0.1", "-l 2", "-l 0.1 --power_t 0", "-l 0.02 --power_t 0 --sgd")

How = dict[str, Any]
Turn = dict[str, Any]
Player = Callable[[int, int], Turn]


def default(algorithm: str) -> How:
    return {"options": EXPLORATIONS[algorithm][0], "scaled": False, "crossed": False}


def tuned(algorithm: str, make: Callable[[int], Shoppers], tries: int, tasks: int) -> How:
    """The setting with the least regret on tasks that aren't measured; the default is one of those tried."""
    rng = np.random.default_rng(TUNED_ON)
    tried = [default(algorithm)]
    for _ in range(tries - 1):
        explored, rate = rng.choice(EXPLORATIONS[algorithm]), rng.choice(RATES)
        scaled, crossed = (bool(one) for one in rng.integers(2, size=2))
        tried.append({"options": f"{explored} {rate}".strip(), "scaled": scaled, "crossed": crossed})
    found = np.zeros(len(tried))
    for seed in (TUNED_ON, TUNED_ON + 1):
        with written(make(seed), tasks) as path:
            for place, how in enumerate(tried):
                with vowpal(path, how) as play:
                    found[place] += sum(play(0, tasks)["regret"])
    return tried[int(found.argmin())]


def contest(shoppers: Shoppers, tasks: int, hows: dict[str, How]) -> dict[str, Turn]:
    """Regrets and microseconds per decision of every contestant, playing in turns."""
    with written(shoppers, tasks) as path:
        return _in_turns(path, shoppers, tasks, hows)


def _in_turns(path: Path, shoppers: Shoppers, tasks: int, hows: dict[str, How]) -> dict[str, Turn]:
    with ExitStack() as open_:
        players: dict[str, Player] = {"meta": ours(shoppers)}
        for name, how in hows.items():
            players[name] = open_.enter_context(vowpal(path, how))
        turns: dict[str, list[Turn]] = {name: [] for name in players}
        for first in range(0, tasks, TURN):
            for name, play in players.items():
                turns[name].append(play(first, min(first + TURN, tasks)))
    return {name: _sum(told, tasks * shoppers.rounds) for name, told in turns.items()}


def _sum(turns: list[Turn], decisions: int) -> Turn:
    micro = {part: 1e6 * sum(turn[part] for turn in turns) / decisions for part in ("choosing", "learning")}
    return {"regret": [one for turn in turns for one in turn["regret"]], **micro}


def ours(shoppers: Shoppers) -> Player:
    """Our policy, timed as the other is: without the drawing of tasks."""
    policy = MAKERS["meta"](shoppers, shoppers.seed)
    nothing = np.zeros(0)

    def play_one(drawn: Task, number: int) -> tuple[float, float, float]:
        name, taken, choosing, learning = f"shopper-{number}", list[int](), 0.0, 0.0
        for round_, actions in enumerate(drawn.actions):
            began = process_time()
            before = Situation(entity=name, actions=actions, state=nothing)
            choice = policy.choose(before, number * shoppers.rounds + round_)
            middle = process_time()
            after = before if round_ + 1 < shoppers.rounds else None  # what follows doesn't matter to a bandit
            policy.learn(
                Transition(
                    before=before,
                    action=choice.action,
                    propensity=choice.propensity,
                    reward=float(drawn.rewards[round_, choice.action]),
                    after=after,
                )
            )
            choosing += middle - began
            learning += process_time() - middle
            taken.append(choice.action)
        return float(drawn.regret(taken).sum()), choosing, learning

    def play(first: int, last: int) -> Turn:
        played = [play_one(task(shoppers, number), number) for number in range(first, last)]
        regret = [one[0] for one in played]
        return {"regret": regret, "choosing": sum(one[1] for one in played), "learning": sum(one[2] for one in played)}

    return play


@contextmanager
def written(shoppers: Shoppers, tasks: int) -> Generator[Path]:
    """The tasks in a file, as Vowpal Wabbit's process reads them."""
    drawn = [task(shoppers, number) for number in range(tasks)]
    parts = {part: np.stack([getattr(one, part) for one in drawn]) for part in ("actions", "rewards", "expected")}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.npz"
        np.savez(path, actions=parts["actions"], rewards=parts["rewards"], expected=parts["expected"])
        yield path


@contextmanager
def vowpal(path: Path, how: How) -> Generator[Player]:
    """Vowpal Wabbit with these options, in its own process."""
    program = Path(__file__).parent / "peers" / "vowpal.py"
    command = [str(ensure("vowpal")), str(program), str(path), json.dumps(how)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("Vowpal Wabbit was started without pipes")
        asking, answering = process.stdin, process.stdout

        def play(first: int, last: int) -> Turn:
            asking.write(f"{first} {last}\n")
            asking.flush()
            answer = answering.readline()
            if not answer:
                raise RuntimeError(f"Vowpal Wabbit ended without an answer: {how}")
            return json.loads(answer)

        yield play
        asking.close()
