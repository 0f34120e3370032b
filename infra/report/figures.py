"""The charts, as plotly's figures in plain data. What they show stands in tables too. No policy that was refused."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape
from typing import Any, Final

from infra.dashboard.wording import units
from infra.judging.evidence import Bin, Calibration, Estimate, Judgement, Logged, Segment
from infra.report.standing import Standing
from streams.times import EPOCH

Figure = dict[str, Any]

# Told apart by people who see colours differently, on light and on dark; after Okabe & Ito.
GREY: Final = "#77839a"
COLOURS: Final = ("#3b82d6", "#e2902c", "#22a37f", "#a974c4", "#56b4e9", "#c9a227", "#d9544d")
SYMBOLS: Final = ("circle", "square", "diamond", "cross", "triangle-up", "star", "hexagon")
MOST_SEGMENTS: Final = 12
_ROW: Final = 26  # pixels
_WORDS: Final = 26  # characters of a label
_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"}


def colour(place: int) -> str:
    """That of a policy, by its place among all."""
    return COLOURS[place % len(COLOURS)]


def label(text: str) -> str:
    """A name that fits. Escaped: plotly takes markup in what it shows for markup."""
    return escape(short(text))


def short(text: str) -> str:
    """A name, cut where it is long."""
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"


def values(logged: Logged, policies: Sequence[tuple[int, str, Judgement]]) -> Figure:
    """Value by estimator and policy, with intervals, beside what was logged."""
    names = list(dict.fromkeys(name for _, _, one in policies for name in [one.headline, *one.estimators]))
    rows = {name: place for place, name in enumerate(reversed(names))}
    many = len(policies)
    data = [
        _points(
            label(name),
            [rows[key] + 0.5 * (order + 0.5 - many / 2) / max(many, 1) for key in _known(one)],
            [_of(one, key) for key in _known(one)],
            colour(place),
            SYMBOLS[place % len(SYMBOLS)],
        )
        for order, (place, name, one) in enumerate(policies)
    ]
    axis = {
        "tickvals": list(rows.values()),
        "ticktext": [label(name) for name in rows],
        "range": [-0.6, len(rows) - 0.4],
    }
    return _figure(
        data,
        110 + _ROW * max(many, 1) * max(len(rows), 1),
        legend=_LEGEND,
        yaxis=axis,
        xaxis={"title": {"text": "reward a decision"}},
        shapes=[_line(logged.value.value)],
    )


def _known(one: Judgement) -> list[str]:
    return [name for name in dict.fromkeys([one.headline, *one.estimators]) if _of(one, name).value is not None]


def _of(one: Judgement, name: str) -> Estimate:
    return one.value if name == one.headline else one.estimators.get(name, Estimate())


def differences(policies: Sequence[tuple[int, str, Standing]]) -> Figure:
    """How much more each policy earns than the baseline, on the same decisions."""
    rows = len(policies)
    data = [
        _points(label(name), [rows - 1 - order], [one.over], colour(place), SYMBOLS[place % len(SYMBOLS)])
        for order, (place, name, one) in enumerate(policies)
    ]
    ticks = {
        "tickvals": [rows - 1 - order for order in range(rows)],
        "ticktext": [label(name) for _, name, _ in policies],
        "range": [-0.6, rows - 0.4],
    }
    return _figure(
        data,
        90 + 2 * _ROW * rows,
        showlegend=False,
        yaxis=ticks,
        xaxis={"title": {"text": "more, or less, a decision"}},
        shapes=[_line(0.0)],
    )


def curves(logged: Logged, policies: Sequence[tuple[int, str, Judgement]]) -> Figure:
    """What was observed over time, and what each policy is estimated to have earned then."""
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "what was logged",
            "x": [_day(point.since) for point in logged.curve],
            "y": [point.observed for point in logged.curve],
            "line": {"color": GREY, "width": 3},
            "marker": {"size": 4},
        }
    ]
    for place, name, one in policies:
        shown = {"color": colour(place), "width": 2}
        x = [_day(point.since) for point in one.curve]
        points = [point.estimate for point in one.curve]
        data.append({"type": "scatter", "mode": "lines", "name": label(name), "x": x, "line": shown})
        data[-1]["y"] = [point.value for point in points]
    return _figure(
        data, 300, legend=_LEGEND, hovermode="x unified", yaxis={"title": {"text": "reward a decision"}, "nticks": 6}
    )


def calibration(tenths: Sequence[Calibration]) -> Figure:
    """What the reward model predicted against what was earned."""
    predicted = [one.predicted for one in tenths]
    observed = [one.observed for one in tenths]
    reach = max([*predicted, *observed, 0.0])
    perfect = {
        "type": "scatter",
        "mode": "lines",
        "name": "as predicted",
        "x": [0.0, reach],
        "y": [0.0, reach],
        "line": {"color": GREY, "dash": "dot", "width": 1.5},
    }
    told = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "observed",
        "x": predicted,
        "y": observed,
        "line": {"color": COLOURS[0], "width": 1},
        "marker": {"size": 8},
    }
    return _figure(
        [perfect, told],
        300,
        legend=_LEGEND,
        xaxis={"title": {"text": "predicted reward"}, "nticks": 6},
        yaxis={"title": {"text": "observed reward"}, "nticks": 6},
    )


def weights(policies: Sequence[tuple[int, str, Sequence[Bin]]]) -> Figure:
    """How often a weight was how large, by policy: near 1 a policy decides as was logged."""
    edges = sorted({(one.low, one.high) for _, _, bins in policies for one in bins})
    order = [bin_label(low, high) for low, high in _merged(edges)]
    data: list[dict[str, Any]] = []
    for place, name, bins in policies:
        counts = dict.fromkeys(order, 0)
        for one in bins:
            counts[bin_label(one.low, _top(one.low, one.high))] += one.count
        total = sum(counts.values()) or 1
        data.append(
            {
                "type": "bar",
                "name": label(name),
                "x": order,
                "y": [counts[each] / total for each in order],
                "marker": {"color": colour(place)},
                "hovertemplate": "%{x}: %{y:.1%}",
            }
        )
    return _figure(
        data,
        300,
        legend=_LEGEND,
        barmode="group",
        xaxis={"type": "category", "title": {"text": "weight"}},
        yaxis={"tickformat": ".0%", "title": {"text": "of the decisions"}, "nticks": 5},
    )


def _top(low: float, high: float) -> float:
    """The end of a bin: its last may end at the largest weight, and bins double in width."""
    return high if low == 0.0 else low * 2.0


def _merged(edges: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return sorted({(low, _top(low, high)) for low, high in edges})


def bin_label(low: float, high: float) -> str:
    """
    >>> bin_label(0.0, 0.0), bin_label(0.25, 0.5), bin_label(0.5, 1.0), bin_label(4.0, 8.0), bin_label(0.0, 0.001953125)
    ('0', '1/4–1/2', '1/2–1', '4–8', 'under 1/512')
    """
    if high == 0.0:
        return "0"
    return f"under {_fraction(high)}" if low == 0.0 else f"{_fraction(low)}–{_fraction(high)}"


def _fraction(x: float) -> str:
    return f"1/{1.0 / x:.0f}" if 0.0 < x < 1.0 else f"{x:.4g}"


def segments(logged: Sequence[Segment], policies: Sequence[tuple[int, str, Sequence[Segment]]]) -> Figure:
    """By segment what was earned, and what each policy is estimated to earn there."""
    names = [one.name for one in logged][:MOST_SEGMENTS]
    rows = {name: len(names) - 1 - place for place, name in enumerate(names)}
    many = len(policies) + 1
    observed = {one.name: one.estimate for one in logged}
    data = [
        _points(
            "what was logged", _spread(rows, names, 0, many), [observed[name] for name in names], GREY, "line-ns-open"
        )
    ]
    for order, (place, policy, found) in enumerate(policies, start=1):
        told = {one.name: one.estimate for one in found}
        shown = [name for name in names if name in told]
        spread = _spread(rows, shown, order, many)
        data.append(_points(label(policy), spread, [told[one] for one in shown], colour(place), SYMBOLS[place % 7]))
    ticks = {
        "tickvals": list(rows.values()),
        "ticktext": [label(name) for name in rows],
        "range": [-0.6, len(rows) - 0.4],
    }
    return _figure(
        data,
        110 + 14 * many * max(len(rows), 1) + 6 * len(rows),
        legend=_LEGEND,
        yaxis=ticks,
        xaxis={"title": {"text": "reward a decision"}},
    )


def arms(found: Sequence[tuple[str, Estimate]]) -> Figure:
    """How much more each arm of an experiment earns than control."""
    rows = len(found)
    places = [rows - 1.0 - order for order in range(rows)]
    ticks = {
        "tickvals": places,
        "ticktext": [label(name) for name, _ in found],
        "range": [-0.6, rows - 0.4],
    }
    return _figure(
        [_points("arm", places, [one for _, one in found], COLOURS[0], SYMBOLS[0])],
        90 + 2 * _ROW * rows,
        showlegend=False,
        yaxis=ticks,
        xaxis={"title": {"text": "more, or less, a decision than control"}},
        shapes=[_line(0.0)],
    )


def _spread(rows: dict[str, int], names: Sequence[str], order: int, many: int) -> list[float]:
    return [rows[name] - 0.6 * (order + 0.5 - many / 2) / many for name in names]


def _points(name: str, y: Sequence[float], given: Sequence[Estimate], shade: str, symbol: str) -> Figure:
    def reach(one: Estimate, end: float | None) -> float:
        return 0.0 if end is None or one.value is None else abs(end - one.value)

    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [one.value for one in given],
        "y": list(y),
        "marker": {"color": shade, "size": 9, "symbol": symbol, "line": {"width": 2, "color": shade}},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [reach(one, one.high) for one in given],
            "arrayminus": [reach(one, one.low) for one in given],
            "color": shade,
            "thickness": 1.6,
            "width": 5,
        },
        "text": [f"{units(one.value)} ({units(one.low)} to {units(one.high)})" for one in given],
        "hovertemplate": f"{name}: %{{text}}<extra></extra>",
    }


def _line(at: float | None) -> dict[str, Any]:
    found = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY, "width": 1.5, "dash": "dot"}}
    return found | {"x0": at or 0.0, "x1": at or 0.0, "visible": at is not None}


def _day(ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%d")


def _figure(data: Sequence[Any], height: int, **layout: Any) -> Figure:
    margin = {"l": 8, "r": 12, "t": 8, "b": 8}
    layout = {"showlegend": True, **layout}
    axis = {"automargin": True, "fixedrange": True, "zeroline": False}
    told = {name: axis | layout.pop(name, {}) for name in ("xaxis", "yaxis")}
    return {"data": list(data), "layout": {"height": height, "margin": margin, **told, **layout}}
