"""A log, read once and judged: counts of what was left out, then estimates from what remains."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from infra.errors import UserError
from infra.ope.decision import Row, row
from infra.ope.fields import LeftOut
from infra.ope.reading import LONGEST, Reader
from infra.ope.spool import Block, Spool
from policies.estimators.folds import Regression
from policies.estimators.judged import Judged
from policies.estimators.judgement import Judgement
from policies.estimators.logged import Logged, Slates, Truths
from policies.estimators.refitting import fit, refitted
from policies.estimators.terms import Terms

TRUNCATED: Final = "damaged-file"  # it ends inside, or what follows can't be unpacked
_REWARD: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The result, and how the log read."""

    lines: int
    judgement: Judgement
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = self.judgement.as_dict()
        return {**told, "reasons": [*told["reasons"], *self.remarks], "lines": self.lines}


def evaluate(path: str, terms: Terms, cluster_field: str | None, on_bytes: Callable[[int], None]) -> Found:
    """Judges the log at `path` ("-" is standard input). Raises UserError where it can't be read at all."""
    reader = Reader(path)
    left_out: Counter[str] = Counter()
    remarks: list[str] = []
    with Spool() as spool:
        lines, unclustered, kinds = _read(reader, spool, left_out, cluster_field, on_bytes)
        if reader.damage is not None:
            left_out[TRUNCATED] += 1
            remarks.append(f"the file is damaged after line {lines:,}, what follows is lost: {reader.damage}")
        if not lines:
            raise UserError(f"{path}: there is no line in it; give one JSON object a line, as docs/ope.md tells")
        left_out.update(spool.without_duplicates())
        if cluster_field and unclustered:
            remarks.append(f"{unclustered:,} lines have no {cluster_field}: each is taken as a cluster of its own")
        judged, said = _judge(spool, terms, left_out, slates="slate" in kinds)
    return Found(lines=lines, judgement=judged.result(), remarks=(*remarks, *said))


def _read(
    reader: Reader, spool: Spool, left_out: Counter[str], cluster_field: str | None, on_bytes: Callable[[int], None]
) -> tuple[int, int, set[str]]:
    """Lines; those without a cluster; the kind of rows that were kept, that of the first usable one."""
    lines = unclustered = 0
    kinds: set[str] = set()
    for raw in reader.lines(on_bytes):
        lines += 1
        try:
            found = _row(raw, cluster_field, kinds)
        except LeftOut as reason:
            left_out[reason.name] += 1
            continue
        unclustered += not found.clustered
        spool.add(found)
    return lines, unclustered, kinds


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


def _judge(spool: Spool, terms: Terms, left_out: Counter[str], *, slates: bool) -> tuple[Judged, tuple[str, ...]]:
    low, high, rows, modelled = _looked_through(spool)
    said: list[str] = []
    if modelled < rows:
        said.append(_no_model(rows - modelled, rows, slates=slates))
    outside = _outside(terms, low, high)
    whole = modelled == rows
    refit = _refit(spool, terms) if whole and rows and not slates else None
    judged = Judged.nothing(terms, {**left_out})
    for block in spool.blocks():
        inside = _inside(block, terms) if outside else np.ones(len(block.numbers), dtype=np.bool_)
        if outside:
            judged += Judged.nothing(terms, {"reward-out-of-range": int((~inside).sum())})
        part = _slates(block, inside, modelled=whole) if slates else _logged(block, inside, modelled=whole)
        if refit is not None and isinstance(part, Logged):
            part = refitted(part, refit)
        judged += Judged.of(part, terms)
    return judged, tuple(said)


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


def _refit(spool: Spool, terms: Terms) -> Regression:
    """MRDR's line through the given reward model."""
    total = Regression.nothing(2)
    for block in spool.blocks():
        total += fit(_logged(block, _inside(block, terms), modelled=True))
    return total


def _inside(block: Block, terms: Terms) -> Truths:
    """[n] whether a row's rewards lie within the range."""
    reward = block.numbers[:, _REWARD]
    if terms.reward_low is None or terms.reward_high is None:
        return np.ones(len(reward), dtype=np.bool_)
    outside = np.logical_or(reward < terms.reward_low, reward > terms.reward_high)
    return np.logical_not(np.logical_or.reduce(outside, axis=1))


def _logged(block: Block, inside: Truths, *, modelled: bool) -> Logged:
    reward, p, pi, q, v = np.moveaxis(block.numbers[inside, :, 0], 1, 0)
    rows = Logged(reward=reward, propensity=p, target_propensity=pi, cluster=block.cluster[inside])
    return replace(rows, q_logged=q, v_target=v) if modelled else rows


def _slates(block: Block, inside: Truths, *, modelled: bool) -> Slates:
    reward, p, pi, q, v = np.moveaxis(block.numbers[inside], 1, 0)
    filled = np.less(np.arange(int(block.numbers.shape[2])), block.slots[inside][:, None])
    model = {"q_logged": q, "v_target": v} if modelled else {}
    return Slates(
        reward=reward, propensity=p, target_propensity=pi, cluster=block.cluster[inside], filled=filled, **model
    )


def _no_model(without: int, rows: int, *, slates: bool) -> str:
    names = "cascade-dr and pddr are" if slates else "dm, dr, sndr, switch-dr, dros and mrdr are"
    how = "reward_model and target_reward_model" if slates else "reward_model with target_distribution"
    which = "no line has" if without == rows else f"{without:,} of {rows:,} lines lack"
    return f"{names} not estimated: {which} {how}"
