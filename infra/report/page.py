"""The report: one file with all in it, that needs no network and keeps what it is given as text."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import floor
from typing import Any, Final

from infra.dashboard.wording import FILTERS, units
from infra.errors import UserError
from infra.judging.constraints import sentence
from infra.judging.evidence import Estimate, Evidence, ExperimentRead, Judgement, Logged, Segment
from infra.report import figures, methods
from infra.report.answer import Answer, answers
from infra.report.figures import Figure
from infra.report.opened import embedded
from infra.report.standing import Standing
from policies.estimators.verdict import LEAST_ESS

_NEEDED: Final = "a report needs the extra 'report': pip install 'tradewind[report]'"


def render(evidence: Evidence) -> str:
    """The page, as HTML. Raises UserError where the extra is missing."""
    scripts = [_plotly(), _shared("look.js"), _own("report.js")]
    charts: dict[str, Figure] = {}
    found = answers(evidence)
    domains = [Section(evidence, name, logged, found, charts) for name, logged in evidence.logged.items()]

    def chart_arms(place: int) -> str:
        return _arms(evidence.experiments[place], place, charts)

    return _template().render(
        told=evidence,
        answers=found,
        sections=sorted(domains, key=lambda one: not one.moved),
        chart_arms=chart_arms,
        methods=methods.notes(_estimators(evidence), methods.ESTIMATORS),
        intervals=methods.notes(_intervals(evidence), methods.INTERVALS),
        asked=[one.name for one in evidence.candidates],
        left_out=_left_out(evidence),
        charts=lambda: embedded(charts),  # once the templates have asked for all
        evidence=embedded(evidence),
        scripts=scripts,
        policy=_policy(scripts),
        style=_style(),
        few=LEAST_ESS,
    )


def ready() -> None:
    """Raises UserError where the extra is missing."""
    _template()
    _plotly()


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate in one domain. `place` gives its colour; `judged` is None where nothing was judged."""

    place: int
    answer: Answer
    standing: Standing
    judged: Judgement

    @property
    def name(self) -> str:
        return self.answer.candidate.name

    @property
    def told(self) -> bool:
        """Whether its numbers are shown: not where the data can't carry them."""
        return self.standing.found != "refused" and self.judged.verdict == "ok"


@dataclass(slots=True)
class Section:
    """All of one domain. `charts` gathers its figures, by the id of their place."""

    evidence: Evidence
    domain: str
    logged: Logged
    answers: list[Answer]
    charts: dict[str, Figure]
    rows: list[Row] = field(default_factory=list[Row])

    def __post_init__(self) -> None:
        self.rows = [
            Row(place, one, standing, standing.judged)
            for place, one in enumerate(self.answers)
            for standing in one.standings
            if standing.domain == self.domain and standing.judged is not None
        ]

    @property
    def shown(self) -> list[Row]:
        """Those whose values are shown: of those that decide alike the first, to compare with."""
        alike = [row for row in self.rows if row.told and row.standing.found == "same"]
        return [row for row in self.rows if row.told and (row.standing.found != "same" or row is alike[0])]

    @property
    def remarks(self) -> list[str]:
        return list(dict.fromkeys(one for row in self.rows for one in row.judged.remarks))

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.standing.found == "refused"]

    @property
    def baseline(self) -> str:
        return self.rows[0].standing.baseline.name if self.rows else "what was logged"

    @property
    def moved(self) -> list[Row]:
        """Those that decide otherwise than the baseline, and can be told apart from it."""
        return [row for row in self.rows if row.told and row.standing.found != "same"]

    @property
    def rules(self) -> list[str]:
        """What the rules of the business cost here, a sentence each."""
        return [sentence(one, _units) for one in self.evidence.constraints if one.domain == self.domain]

    def estimators(self, row: Row) -> Iterator[tuple[str, Estimate]]:
        """Value by estimator, the one that is read first, first."""
        judged = row.judged
        yield judged.headline, judged.value
        yield from ((name, one) for name, one in judged.estimators.items() if name != judged.headline)

    def kinds(self) -> list[str]:
        """What its decisions are divided by, where there is more than one part."""
        found = list(dict.fromkeys(one.by for one in self.logged.segments))
        return [kind for kind in found if len(self.of(kind)) > 1]

    def of(self, kind: str) -> list[Segment]:
        return [one for one in self.logged.segments if one.by == kind]

    def part(self, row: Row, kind: str, name: str) -> Segment | None:
        return next((one for one in row.judged.segments if one.by == kind and one.name == name), None)

    # ---- Charts: each makes its figure, and says the id of its place ------------------------------------------------

    def chart_values(self) -> str:
        policies = [(row.place, row.name, row.judged) for row in self.shown]
        return self._chart("values", figures.values(self.logged, policies))

    def chart_differences(self) -> str:
        return self._chart("differences", figures.differences([(r.place, r.name, r.standing) for r in self.moved]))

    def chart_curves(self) -> str:
        policies = [(row.place, row.name, row.judged) for row in self.moved]
        return self._chart("curves", figures.curves(self.logged, policies))

    def chart_calibration(self) -> str:
        return self._chart("calibration", figures.calibration(self.logged.calibration))

    def chart_weights(self) -> str:
        policies = [(row.place, row.name, row.judged.weights.histogram) for row in self.weighed]
        return self._chart("weights", figures.weights(policies))

    def chart_segments(self, kind: str) -> str:
        found = [
            (row.place, row.name, [one for one in row.judged.segments if one.by == kind and one.effective >= LEAST_ESS])
            for row in self.moved
        ]
        return self._chart(f"segments-{self.kinds().index(kind)}", figures.segments(self.of(kind), found))

    @property
    def weighed(self) -> list[Row]:
        """Those with weights other than 1, the refused too: weights are why."""
        return [row for row in self.rows if row.judged.weights.histogram and row.standing.found != "same"]

    def _chart(self, name: str, figure: Figure) -> str:
        place = f"chart-{[str(one) for one in self.evidence.logged].index(self.domain)}-{name}"
        self.charts[place] = figure
        return place


def _arms(found: ExperimentRead, place: int, charts: dict[str, Figure]) -> str:
    told = [(one.name, one.difference) for one in found.arms if one.difference.value is not None]
    name = f"chart-experiment-arms-{place}"
    charts[name] = figures.arms(told)
    return name


def _left_out(evidence: Evidence) -> list[tuple[str, int]]:
    return sorted(evidence.left_out.items(), key=lambda each: (-each[1], each[0]))


def _judged(evidence: Evidence) -> Iterator[Judgement]:
    yield from (found for one in evidence.candidates for found in one.domains.values())


def _estimators(evidence: Evidence) -> Iterator[str]:
    for found in _judged(evidence):
        yield found.headline
        yield from found.estimators


def _intervals(evidence: Evidence) -> Iterator[str]:
    for found in _judged(evidence):
        yield from (one.interval for one in (found.value, found.difference, *found.estimators.values()))
    yield from (one.value.interval for one in evidence.logged.values())


# ---- What the file is made of ---------------------------------------------------------------------------------------


@cache
def _template() -> Any:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise UserError(_NEEDED) from error
    made = Environment(
        loader=PackageLoader("infra.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Any = made.filters
    filters.update(FILTERS, units=_units, share=_share, short=figures.short, bin=figures.bin_label)
    return made.get_template("report.html")


def _units(value: float | None) -> str:
    return units(value).replace("-", "−")


def _share(part: float) -> str:
    """A part of all, never rounded up to all.

    >>> _share(1.0), _share(0.99999), _share(0.5)
    ('100%', '99.99%', '50.00%')
    """
    return "100%" if part == 1.0 else f"{floor(part * 1e4) / 100.0:.2f}%"


@cache
def _plotly() -> str:
    try:
        return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    except ImportError as error:
        raise UserError(_NEEDED) from error


def _own(name: str) -> str:
    return files("infra.report").joinpath("static", name).read_text(encoding="utf-8")


def _shared(name: str) -> str:
    """What the report has in common with the dashboard."""
    return files("infra.dashboard").joinpath("static", name).read_text(encoding="utf-8")


def _style() -> str:
    return _shared("style.css") + _own("report.css")


def _policy(scripts: list[str]) -> str:
    """What the page may do: run these scripts, and fetch nothing."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in scripts)
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:"
