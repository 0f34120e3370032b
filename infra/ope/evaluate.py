"""A log, read once and judged: counts of what was left out, then estimates from what remains."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from infra.errors import UserError
from infra.ope.decision import Row, row
from infra.ope.fields import LeftOut
from infra.ope.fitting import fitted
from infra.ope.reading import LONGEST, Reader
from infra.ope.spool import Block, Spool
from policies.estimators.folds import Regression
from policies.estimators.judged import Judged
from policies.estimators.judgement import Judgement
from policies.estimators.logged import Logged, Slates, Truths
from policies.estimators.refitting import fit, refitted
from policies.estimators.terms import Terms
from policies.estimators.verdict import MOST_OFF, SURE

Blocks = Callable[[], Iterator[Block]]
RewardModelled = Literal["given", "fitted", "none"]

TRUNCATED: Final = "damaged-file"  # it ends inside, or what follows can't be unpacked
CERTAIN: Final = 1e-6  # a mean weight closer to 1 is off by rounding
_REWARD: Final = 0
_DECISIONS: Final = "dm, dr, sndr, switch-dr, dros and mrdr are"
_SLATES: Final = "cascade-dr, pddr, dm, dr, sndr, switch-dr and dros are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The result, and how the log read."""

    lines: int
    judgement: Judgement
    remarks: tuple[str, ...]
    reward_model: RewardModelled

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = self.judgement.as_dict()
        return {
            **told,
            "reasons": [*told["reasons"], *self.remarks],
            "lines": self.lines,
            "reward_model": self.reward_model,
        }


def evaluate(path: str, terms: Terms, cluster_field: str | None, on_bytes: Callable[[int], None]) -> Found:
    """Judges the log at `path` ("-" is standard input). Raises UserError where it can't be read at all."""
    reader = Reader(path)
    left_out: Counter[str] = Counter()
    remarks: list[str] = []
    with Spool() as spool:
        read = _read(reader, spool, left_out, cluster_field, on_bytes)
        lines = read.lines
        if reader.damage is not None:
            left_out[TRUNCATED] += 1
            remarks.append(f"the file is damaged after line {lines:,}, what follows is lost: {reader.damage}")
        if not lines:
            raise UserError(_nothing(path, reader.damage))
        left_out.update(spool.without_duplicates())
        remarks += read.remarks(cluster_field)
        judged, said, by = _judge(spool, terms, left_out, slates="slate" in read.kinds)
    found = judged.result()
    return Found(lines=lines, judgement=found, remarks=(*remarks, *_a_little_off(found), *said), reward_model=by)


def _a_little_off(found: Judgement) -> Iterator[str]:
    """Weights that aren't 1 on average, by too little for a refusal."""
    off, seen = found.overlap.mean - 1, found.overlap
    if seen.n > 1 and found.ess > 0 and SURE * seen.error < abs(off) <= MOST_OFF and abs(off) > CERTAIN:
        yield (
            f"weights are {seen.mean:.4f} on average and not 1 (standard error {seen.error:.2g}): intervals allow for "
            "any reward of what the target policy does and the log lacks"
        )


def _nothing(path: str, damage: str | None) -> str:
    if damage is None:
        return f"{path}: there is no line in it; give one JSON object a line, as docs/ope.md tells"
    return f"{path} is damaged before its first line ends ({damage}): give the whole file"


@dataclass(slots=True, kw_only=True)
class _Read:
    """How the lines read. `kinds`: of the rows that were kept, that of the first usable one."""

    lines: int = 0
    unclustered: int = 0
    untold: int = 0
    kinds: set[str] = field(default_factory=set[str])

    def remarks(self, cluster_field: str | None) -> Iterator[str]:
        if cluster_field and self.unclustered:
            yield f"{self.unclustered:,} lines have no {cluster_field}: each is taken as a cluster of its own"
        if self.untold:
            yield (
                f"the reward_model of {self.untold:,} lines isn't used: without target_distribution or "
                "target_reward_model nobody can tell what it expects of the target policy"
            )


def _read(
    reader: Reader, spool: Spool, left_out: Counter[str], cluster_field: str | None, on_bytes: Callable[[int], None]
) -> _Read:
    read = _Read()
    for raw in reader.lines(on_bytes):
        read.lines += 1
        try:
            found = _row(raw, cluster_field, read.kinds)
        except LeftOut as reason:
            left_out[reason.name] += 1
            continue
        read.unclustered += not found.clustered
        read.untold += found.untold
        spool.add(found)
    return read


def _row(raw: bytes, cluster_field: str | None, kinds: set[str]) -> Row:
    """One usable row; the first says what kind all are. Raises LeftOut."""
    if len(raw) > LONGEST:
        raise LeftOut("line-too-long")
    found = row(raw, cluster_field)
    kind = "slate" if found.slots else "decision"
    kinds.update({kind} if not kinds else ())
    if kind not in kinds:
        raise LeftOut(f"{kind}-among-{next(iter(kinds))}s")
    return found


def _judge(
    spool: Spool, terms: Terms, left_out: Counter[str], *, slates: bool
) -> tuple[Judged, tuple[str, ...], RewardModelled]:
    low, high, rows, modelled = _looked_through(spool)
    outside = _outside(terms, low, high)
    judged = Judged.nothing(terms, {**left_out})
    if outside:
        many = sum(int((~_inside(block, terms)).sum()) for block in spool.blocks())
        judged += Judged.nothing(terms, {"reward-out-of-range": many})

    def blocks() -> Iterator[Block]:
        for block in spool.blocks():
            yield _only(block, _inside(block, terms)) if outside else block

    by: RewardModelled = "given" if modelled == rows else "none"
    told: tuple[str, ...] = ()
    if by == "none" and not slates and not modelled:
        model, why = fitted(blocks)
        told = tuple(model.words()) if model is not None else (f"{_DECISIONS} not estimated: {why}",) if why else ()
        by = "none" if model is None else "fitted"
        blocks = blocks if model is None else model.onto(blocks)
    elif by == "none":
        told = (_no_model(rows - modelled, rows, slates=slates),)
    refit = _refit(blocks) if by != "none" and rows and not slates else None
    for block in blocks():
        part = _slates(block, modelled=by != "none") if slates else _logged(block, modelled=by != "none")
        if refit is not None and isinstance(part, Logged):
            part = refitted(part, refit)
        judged += Judged.of(part, terms)
    return judged, told, by


def _looked_through(spool: Spool) -> tuple[float, float, int, int]:
    """The lowest and highest reward, rows, and rows with a reward model."""
    low, high, rows, modelled = np.inf, -np.inf, 0, 0
    for block in spool.blocks():
        if len(block.numbers):
            low = min(low, float(np.nanmin(block.numbers[:, _REWARD])))
            high = max(high, float(np.nanmax(block.numbers[:, _REWARD])))
        rows += len(block.numbers)
        modelled += int(block.modelled.sum())
    return low, high, rows, modelled


def _outside(terms: Terms, low: float, high: float) -> bool:
    if terms.reward_low is None or terms.reward_high is None:
        return False
    return low < terms.reward_low or high > terms.reward_high


def _refit(blocks: Blocks) -> Regression:
    """MRDR's line through the reward model."""
    total = Regression.nothing(2)
    for block in blocks():
        total += fit(_logged(block, modelled=True))
    return total


def _only(block: Block, inside: Truths) -> Block:
    return Block(
        numbers=block.numbers[inside],
        cluster=block.cluster[inside],
        slots=block.slots[inside],
        modelled=block.modelled[inside],
        situations=[one for one, stays in zip(block.situations, inside.tolist(), strict=True) if stays],
    )


def _inside(block: Block, terms: Terms) -> Truths:
    """[n] whether a row's rewards lie within the range."""
    reward = block.numbers[:, _REWARD]
    if terms.reward_low is None or terms.reward_high is None:
        return np.ones(len(reward), dtype=np.bool_)
    outside = np.logical_or(reward < terms.reward_low, reward > terms.reward_high)
    return np.logical_not(np.logical_or.reduce(outside, axis=1))


def _logged(block: Block, *, modelled: bool) -> Logged:
    reward, p, pi, q, v = np.moveaxis(block.numbers[:, :, 0], 1, 0)
    rows = Logged(reward=reward, propensity=p, target_propensity=pi, cluster=block.cluster)
    return replace(rows, q_logged=q, v_target=v) if modelled else rows


def _slates(block: Block, *, modelled: bool) -> Slates:
    reward, p, pi, q, v = np.moveaxis(block.numbers, 1, 0)
    filled = np.less(np.arange(int(block.numbers.shape[2])), block.slots[:, None])
    model = {"q_logged": q, "v_target": v} if modelled else {}
    return Slates(reward=reward, propensity=p, target_propensity=pi, cluster=block.cluster, filled=filled, **model)


def _no_model(without: int, rows: int, *, slates: bool) -> str:
    which = "no line has" if without == rows else f"{without:,} of {rows:,} lines lack"
    if not slates:
        return f"{_DECISIONS} not estimated: {which} reward_model with target_distribution"
    return (
        f"{_SLATES} not estimated: {which} reward_model and target_reward_model, what is expected from each slot to "
        "the end; a model of slates isn't fitted here, since the log doesn't tell what else the target would put there"
    )
