"""The charts, as plotly's figures in JSON. What they show stands in tables beside them too. No layout of the page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

import plotly.graph_objects as plotly

from infra.dashboard import views

Figure = dict[str, Any]
_go: Any = plotly  # it comes without types

# Told apart by people who see colours differently, on light and on dark; after Okabe & Ito.
BLUE, ORANGE, GREEN, PURPLE, GREY, RED = "#3b82d6", "#e2902c", "#22a37f", "#a974c4", "#77839a", "#d9544d"
_LINES: Final = {"recommendations": BLUE, "bid-adjustments": ORANGE, "replenishment-orders": GREEN}
_FEATURES: Final = (
    BLUE,
    ORANGE,
    GREEN,
    PURPLE,
    "#56b4e9",
    "#c9a227",
    RED,
    "#7d8597",
    "#0f8b8d",
    "#b85c38",
    "#5f6caf",
    GREY,
)
_BIN_S: Final = 5
_BARS: Final = 12
_TERMS: Final = 6  # features told apart in one chart; the others are summed
_WORDS: Final = 26  # characters of a label


def charts(now: views.Overview) -> dict[str, Figure]:
    """Those of the page, by the id of their place."""
    found = {"chart-actions": _actions(now), "chart-waits": _waits(now.flow)}
    if now.recommendations.rules:
        found["chart-rules"] = _rules(now.recommendations)
    if len(now.recommendations.over_time) > 2:
        found["chart-recalls"] = _recalls(now.recommendations)
    if any(one.spent_share is not None for one in now.ads.campaigns):
        found["chart-ads"] = _ads(now.ads)
    if now.stock.next_out:
        found["chart-stock"] = _stock(now.stock)
    return found


def of_decision(why: views.WhyView) -> dict[str, Figure]:
    """Those of one decision."""
    found: dict[str, Figure] = {}
    if why.slots:
        found["chart-terms"] = _terms(why)
    if why.weights:
        found["chart-beliefs"] = _beliefs(why)
    return found


def _figure(traces: Sequence[Any], height: int, **layout: Any) -> Figure:
    figure = _go.Figure(list(traces))
    margin = {"l": 8, "r": 12, "t": 8, "b": 8}
    figure.update_layout(template="none", height=height, margin=margin, **layout)
    figure.update_xaxes(automargin=True, fixedrange=True, zeroline=False)
    figure.update_yaxes(automargin=True, fixedrange=True, zeroline=False)
    found: Figure = figure.to_plotly_json()
    found["layout"].pop("template", None)  # the page's own, light or dark
    return found


_LEGEND: Final = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"}
_HOURS: Final = {"nticks": 5, "tickformat": "%H:%M", "tickangle": 0}  # UTC; the last minutes need no date
_NAMES: Final = {"type": "category"}  # a name that is all digits is no number


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _actions(now: views.Overview) -> Figure:
    traces: list[Any] = []
    actions = [topic for topic in now.flow.topics if topic.role == "action"]
    for topic in [one for one in actions if one.total] or actions:
        counts = topic.last_minutes
        counts = counts[len(counts) % _BIN_S :]
        starts = range(0, len(counts), _BIN_S)
        end = now.at - now.at % 1000
        traces.append(
            _go.Scatter(
                x=[_clock(end - 1000 * (len(counts) - start)) for start in starts],
                y=[sum(counts[start : start + _BIN_S]) / _BIN_S for start in starts],
                name=topic.topic.replace("-", " "),
                line={"color": _LINES.get(topic.topic, GREY), "width": 2, "shape": "hv"},
                hovertemplate="%{y:.1f}/s",
            )
        )
    return _figure(
        traces,
        220,
        legend=_LEGEND,
        hovermode="x unified",
        yaxis={"rangemode": "tozero", "nticks": 5},
        xaxis=_HOURS,
    )


def _waits(flow: views.Flow) -> Figure:
    at = [_clock(step.at) for step in flow.waits]
    p50 = _go.Scatter(
        x=at,
        y=[step.p50 for step in flow.waits],
        name="half within",
        line={"color": BLUE, "width": 2},
        connectgaps=False,
    )
    p99 = _go.Scatter(
        x=at,
        y=[step.p99 for step in flow.waits],
        name="99 of 100 within",
        line={"color": ORANGE, "width": 2, "dash": "dot"},
    )
    return _figure(
        [p99, p50],
        220,
        legend=_LEGEND,
        hovermode="x unified",
        yaxis={"rangemode": "tozero", "ticksuffix": " ms", "nticks": 5},
        xaxis=_HOURS,
    )


def _rules(told: views.Recommendations) -> Figure:
    rules = sorted(told.rules, key=lambda rule: rule.recall_at_10)
    bars = _go.Bar(
        x=[rule.recall_at_10 for rule in rules],
        y=[rule.name for rule in rules],
        orientation="h",
        marker={"color": [BLUE if rule.name == "tradewind" else GREY for rule in rules]},
        text=[f"{rule.recall_at_10:.1%}  {escape(rule.words)}" for rule in rules],
        textposition="auto",
        insidetextanchor="start",
        insidetextfont={"color": "#ffffff"},
        cliponaxis=False,
        hovertemplate="%{x:.1%}<extra></extra>",
    )
    return _figure(
        [bars],
        170,
        bargap=0.25,
        yaxis=_NAMES | {"visible": False},
        xaxis={"tickformat": ".0%", "rangemode": "tozero", "nticks": 4},
    )


def _recalls(told: views.Recommendations) -> Figure:
    colours = {"tradewind": BLUE, "decayed_personal": ORANGE, "personal_frequency": GREEN, "global_popularity": GREY}
    traces = [
        _go.Scatter(
            x=[one.since[:10] for one in told.over_time],
            y=[one.recall_at_10.get(rule.name) for one in told.over_time],
            name=_short(rule.words),
            line={"color": colours.get(rule.name, GREY), "width": 3 if rule.name == "tradewind" else 1.5},
        )
        for rule in told.rules
    ]
    return _figure(
        traces,
        240,
        legend=_LEGEND,
        hovermode="x unified",
        yaxis={"tickformat": ".0%", "rangemode": "tozero", "nticks": 5},
    )


def _ads(told: views.Ads) -> Figure:
    planned = [one for one in told.campaigns if one.spent_share is not None]
    running = [one for one in planned if one.state not in {"ended", "waiting"}]
    shown = (running or planned)[:_BARS][::-1]
    colours = {"ahead": ORANGE, "behind": PURPLE, "over budget": RED}
    names = [_short(one.campaign_id) for one in shown]
    spent = _go.Bar(
        x=[one.spent_share for one in shown],
        y=names,
        name="budget spent",
        orientation="h",
        marker={"color": [colours.get(one.state, BLUE) for one in shown]},
        hovertemplate="%{y}: %{x:.0%} spent<extra></extra>",
    )
    gone = _go.Scatter(
        x=[one.flight_gone for one in shown],
        y=names,
        name="flight gone",
        mode="markers",
        marker={"symbol": "line-ns", "size": 15, "line": {"width": 3, "color": GREY}, "color": GREY},
        hovertemplate="%{y}: %{x:.0%} of the flight gone<extra></extra>",
    )
    height = 90 + 24 * len(shown)
    return _figure(
        [spent, gone],
        height,
        legend=_LEGEND,
        bargap=0.35,
        yaxis=_NAMES,
        xaxis={"tickformat": ".0%", "rangemode": "tozero"},
    )


def _stock(told: views.Stock) -> Figure:
    shown = told.next_out[::-1]
    bars = _go.Bar(
        x=[one.cover_days for one in shown],
        y=[
            _short(f"{(one.category or one.item_id).lower()} · {one.location}", 28) + f" {one.item_id[-4:]}"
            for one in shown
        ],
        orientation="h",
        marker={
            "color": [
                RED if (one.cover_days or 0) < 1 else ORANGE if (one.cover_days or 0) < 3 else BLUE for one in shown
            ]
        },
        text=[f"{one.cover_days:.1f}" for one in shown],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} days<extra></extra>",
    )
    return _figure(
        [bars],
        60 + 24 * len(shown),
        bargap=0.35,
        yaxis=_NAMES,
        xaxis={"ticksuffix": " d", "rangemode": "tozero", "nticks": 5},
    )


def _terms(why: views.WhyView) -> Figure:
    """A bar a slot; the features that say most in colours of their own, the others summed."""
    slots = why.slots[:_BARS][::-1]
    names = [f"{_short(slot.label, 24)} {len(slots) - place}" for place, slot in enumerate(slots)]
    weight: dict[str, float] = {}
    for slot in slots:
        for term in slot.terms:
            weight[term.feature] = weight.get(term.feature, 0.0) + abs(term.amount)
    lead = [name for name in sorted(weight, key=lambda name: -weight[name]) if weight[name] > 0.0][:_TERMS]
    words = {term.feature: term.words for term in why.slots[0].terms}
    traces = [
        _go.Bar(
            x=[next(term.amount for term in slot.terms if term.feature == name) for slot in slots],
            y=names,
            name=_short(words[name], 34),
            orientation="h",
            marker={"color": _FEATURES[place]},
            hovertemplate="%{x:+.4f}",
        )
        for place, name in enumerate(lead)
    ]
    others = [sum(term.amount for term in slot.terms if term.feature not in lead) for slot in slots]
    traces.append(
        _go.Bar(
            x=others, y=names, name="all others", orientation="h", marker={"color": GREY}, hovertemplate="%{x:+.4f}"
        )
    )
    return _figure(
        traces,
        150 + 26 * len(slots),
        barmode="relative",
        bargap=0.3,
        hovermode="y unified",
        legend=_LEGEND | {"traceorder": "normal"},
        yaxis=_NAMES,
        xaxis={"title": {"text": "score"}, "nticks": 5},
    )


def _beliefs(why: views.WhyView) -> Figure:
    shown = why.weights[::-1]
    names = [_short(one.words, 34) for one in shown]

    def dots(name: str, colour: str, values: list[float], spread: list[float | None], symbol: str) -> Any:
        return _go.Scatter(
            x=values,
            y=names,
            name=name,
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": symbol},
            error_x={"type": "data", "array": spread, "color": colour, "thickness": 1.5, "width": 3},
            hovertemplate="%{x:.4f}",
        )

    prior = dots(
        "prior: what anyone new starts from", GREY, [w.prior for w in shown], [w.prior_sd for w in shown], "diamond"
    )
    belief = dots(
        "belief now, ± one standard deviation", BLUE, [w.belief for w in shown], [w.belief_sd for w in shown], "circle"
    )
    return _figure(
        [prior, belief], 110 + 26 * len(shown), legend=_LEGEND, hovermode="closest", yaxis=_NAMES, xaxis={"nticks": 5}
    )


def _short(text: str, width: int = _WORDS) -> str:
    """A label that fits. Escaped: plotly takes markup in what it shows for markup."""
    return escape(text if len(text) <= width else text[: width - 1] + "…")
