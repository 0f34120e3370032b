"""A simulated gain as evidence: a version's value less that of the version that serves, on the same SKUs or campaigns.

Both fill the same shelves, or bid in the same auctions, so what a SKU or a campaign is like cancels. What is left
varies from one to the next, and that is what the interval tells: a bootstrap over them, in pairs, studentised (Efron
and Tibshirani, An Introduction to the Bootstrap, 1993, §12.5), since a few large ones make gains skewed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from infra.errors import UserError
from infra.judging.evidence import (
    CONFIDENCE,
    Candidate,
    Estimate,
    Evidence,
    Judgement,
    Logged,
    Named,
    Range,
    Weights,
)
from infra.judging.rivals import named
from infra.whatif.source import Source
from policies.estimators.hashing import poissons
from policies.linalg import Floats
from policies.meta.domains import changes
from policies.version import PolicyVersion
from streams.records import Domain

FEWEST: Final = 20  # SKUs or campaigns that come out otherwise: of fewer an interval promises too much
LEAST_AGREED: Final = 0.9  # share of what was recorded that the arithmetic must give again
HEADLINE: Final = "simulated"
_REPLICATES: Final = 4000
_AT_ONCE: Final = 500  # SKUs or campaigns that are drawn at once: 16 MB of counts
_INTERVAL: Final = "paired bootstrap-t over {of}"


def is_version(name: str) -> bool:
    """Whether a policy's name is that of a version, by number or as a file."""
    return name.isdecimal() or name.endswith(".safetensors")


def versions(names: Sequence[str], source: Source) -> dict[str, PolicyVersion]:
    """The versions among the names, once the history's tables have been read. Raises UserError."""
    by = source.versions
    return {name: named(name, by, source.policy)[0].version for name in names if is_version(name)}


def check_name(name: str, rules: Sequence[str]) -> None:
    """Raises UserError where a policy is neither a rule nor a version."""
    if name not in rules and not is_version(name):
        raise UserError(
            f"--policy: there is no policy {name!r}: use some of {', '.join(rules)}, a version's number, or a "
            ".safetensors file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a policy came to in each SKU or campaign, [n]: no less than `least`, no more than `most`."""

    least: Floats
    most: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """All that a simulation says of versions. `decisions` [n] are those of each SKU or campaign."""

    domain: Domain
    of: str  # "SKUs" or "campaigns"
    decisions: Floats
    serving: PolicyVersion
    served: Outcome
    tried: Mapping[str, tuple[PolicyVersion, Outcome]]
    agreed: float | None  # share of the record that its own decisions, simulated, give again
    changed: Sequence[str]  # options that make the question another one
    remarks: Sequence[str] = field(default_factory=list[str])

    def judged(self, name: str) -> Judgement:
        """How a version compares with the one that serves."""
        _, came = self.tried[name]
        low, high = self.interval(came.least - self.served.most)[0], self.interval(came.most - self.served.least)[1]
        value = self._mean(came.least - self.served.least)
        same = (came.least == self.served.least) & (came.most == self.served.most)
        reasons = self._against(int((~same).sum()))
        usual = self.interval(came.least)
        return Judgement(
            verdict="refused" if reasons else "ok",
            reasons=reasons,
            remarks=list(self.remarks),
            decisions=round(float(self.decisions.sum())),
            entities=len(self.decisions),
            headline=HEADLINE,
            value=Estimate(value=self._mean(came.least), low=usual[0], high=usual[1], interval=self._name),
            difference=Estimate(value=value, low=min(low, value), high=max(high, value), interval=self._name),
            same=float((same * self.decisions).sum() / self.decisions.sum()),
            weights=Weights(effective=float(self.decisions.sum()), largest=1.0, mean=1.0),
        )

    @property
    def _name(self) -> str:
        return _INTERVAL.format(of=self.of)

    def _mean(self, x: Floats) -> float:
        return float(x.sum() / self.decisions.sum())

    def _against(self, otherwise: int) -> list[str]:
        """What speaks against taking it for proof. `otherwise` is how many SKUs or campaigns come out otherwise."""
        found: list[str] = []
        if len(self.decisions) < FEWEST:
            found.append(
                f"{len(self.decisions)} {self.of} were simulated, {FEWEST} are needed to tell how gains differ among "
                "them: take a longer range, or promote on an experiment"
            )
        elif 0 < otherwise < FEWEST:
            found.append(
                f"{otherwise} of {len(self.decisions):,} {self.of} come out otherwise, {FEWEST} are needed to tell how "
                "gains differ among them: take a longer range, or promote on an experiment"
            )
        if self.agreed is None or self.agreed < LEAST_AGREED:
            share = "none" if self.agreed is None else f"{self.agreed:.0%}"
            found.append(
                f"the recorded decisions, simulated, give the record again in {share} of what can be checked, and "
                f"{LEAST_AGREED:.0%} is needed: deliveries or auctions went otherwise than the simulation has them"
            )
        if self.changed:
            found.append(f"{', '.join(self.changed)} asks of another business than the one that runs: leave it out")
        return found

    def interval(self, x: Floats) -> tuple[float, float]:
        """Of Σx / Σdecisions, by its 95% bootstrap-t."""
        m, n = self.decisions, len(self.decisions)
        centre, total = float(x.sum() / m.sum()), float(m.sum())
        rest = x - centre * m
        error = float(np.sqrt((rest * rest).sum() * n / max(n - 1, 1))) / total
        if not error > 0.0:
            return centre, centre
        below, above, xx, xm, mm = _resampled(np.stack([m, x, x * x, x * m, m * m], axis=1)).T
        at = above / np.maximum(below, 1e-300)
        squares = xx - 2.0 * at * xm + at * at * mm
        errors = np.sqrt(np.maximum(squares, 0.0)) / np.maximum(below, 1e-300)
        usable = (below > 0.0) & (errors > 1e-6 * error)
        t = (at[usable] - centre) / errors[usable]
        if not len(t):
            return -np.inf, np.inf
        lower, upper = np.quantile(t, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return centre - float(upper) * error, centre - float(lower) * error


def _resampled(terms: Floats) -> Floats:
    """Sums of terms [n, k] over each replicate [_REPLICATES, k], in memory that doesn't grow with n."""
    total = np.zeros((_REPLICATES, terms.shape[1]))
    for first in range(0, len(terms), _AT_ONCE):
        some = terms[first : first + _AT_ONCE]
        total += poissons(0, _REPLICATES, len(some), first=first) @ some
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer to a what-if, ready for JSON, and what it proves; None where it was asked of no version.

    `first` and `last` are the epoch ms between which all of it lies.
    """

    answer: dict[str, Any]
    played: Played | None
    first: int
    last: int


def told(played: Played) -> dict[str, Any]:
    """By version, for the answer: more a decision than the version that serves."""
    found = {name: played.judged(name) for name in played.tried}
    return {
        name: {
            "version": played.tried[name][0].number,
            "sha256": played.tried[name][0].sha256,
            "verdict": one.verdict,
            "reasons": one.reasons,
            "difference": one.difference.value,
            "low": one.difference.low,
            "high": one.difference.high,
        }
        for name, one in found.items()
    }


def evidence(played: Played, source: Source, *, made_at: int, since: int, until: int) -> Evidence:
    """What `tradewind policies promote` rules on. Times are epoch ms, `until` is the last that was simulated."""
    served, many = played.interval(played.served.least), round(float(played.decisions.sum()))
    logged = Logged(
        decisions=many,
        entities=len(played.decisions),
        value=Estimate(
            value=float(played.served.least.sum() / played.decisions.sum()),
            low=served[0],
            high=served[1],
            interval=_INTERVAL.format(of=played.of),
        ),
        versions={str(played.serving.number): many},
    )
    return Evidence(
        made_by="tradewind what-if",
        made_at=made_at,
        simulated=True,
        serving=_named(played.serving),
        range=Range(since=since, until=until + 1, source=source.name, topics=sorted(source.read)),
        read=dict(source.read),
        judged=many,
        logged={played.domain: logged},
        candidates=[
            Candidate(
                name=name,
                kind="version",
                version=version.number,
                sha256=version.sha256,
                changes=changes(version, played.serving),
                domains={played.domain: played.judged(name)},
            )
            for name, (version, _) in played.tried.items()
        ],
    )


def _named(version: PolicyVersion) -> Named:
    return Named(number=version.number, sha256=version.sha256)
