"""The scoreboard as a person reads it. It says what the numbers say, losses too; nothing depends on colour."""

from itertools import zip_longest
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NAMES: Final = {
    "tradewind": "Tradewind",
    "global_popularity": "global popularity",
    "personal_frequency": "personal frequency, filled up",
    "decayed_personal": "decayed personal counts + trend",
    "base_stock": "base-stock rule",
}
_WIDTH: Final = 80
_AS_RECORDED: Final = "As recorded: a replay decides again, but what was sold and won is history."
_SURE: Final = 2.0  # standard errors from which a difference is said to be one


def show(result: dict[str, Any], console: Console) -> None:
    """Print the whole summary. `result` is `Scoreboard.result()`."""
    console.print(summary(result), width=min(_WIDTH, console.width), highlight=False)


def summary(result: dict[str, Any]) -> RenderableType:
    recorded = [Text(_AS_RECORDED, style="dim")] if "replay" in result else []
    parts = [
        _head(result),
        _traffic(result),
        _section("Next basket: what each household bought next, named beforehand", _baskets(result["next_basket"])),
        _section("Stock: the same demand, the same lead times", [*_stock(result["replenishment"]), *recorded]),
        _section("Advertising: auctions under a budget", [*_bidding(result["bidding"]), *recorded]),
    ]
    return Group(*parts)


# ---- What flowed ----------------------------------------------------------------------------------------------------


def _head(result: dict[str, Any]) -> RenderableType:
    events, actions = sum(result["events_in"].values()), sum(result["actions_out"].values())
    lines = [Text(f"{events:,} events in, {actions:,} actions out{_pace(result)}.", style="bold")]
    wait = result["latency_ms"]
    if wait is not None:
        lines.append(
            Text(f"From event to readable slate: p50 {wait['p50']:.0f} ms, p99 {wait['p99']:.0f} ms, of {wait['n']:,}.")
        )
    letters = result["dead_letters"]
    reasons = ", ".join(f"{name} {count:,}" for name, count in result["dead_letter_reasons"].items())
    lines.append(Text(f"{letters:,} dead letters{f': {reasons}' if reasons else ''}."))
    return Padding(Group(*lines), (1, 0))


def _pace(result: dict[str, Any]) -> str:
    if result["seconds"] is None:
        return ""
    return f" in {result['seconds']:.1f} s, {result['events_per_second']:,.0f} events a second"


def _traffic(result: dict[str, Any]) -> RenderableType:
    table = _table("in", "events", "out", "messages")
    ins = [(name, f"{count:,}") for name, count in result["events_in"].items()]
    outs = [(name, f"{count:,}") for name, count in result["actions_out"].items()]
    outs += [("decisions", f"{result['decisions']:,}"), ("outcomes", f"{result['outcomes']:,}")]
    for left, right in zip_longest(ins, outs, fillvalue=("", "")):
        table.add_row(*left, *right)
    return table


# ---- Next basket ----------------------------------------------------------------------------------------------------


def _baskets(measured: dict[str, Any]) -> list[RenderableType]:
    policies = measured["policies"]
    if policies is None:
        return [Text(f"Not judged: {measured['why']}.")]
    table = _table("", "recall@10", "nDCG@10")
    best = {key: max(scores[key] for scores in policies.values()) for key in ("recall_at_10", "ndcg_at_10")}
    for name, scores in sorted(policies.items(), key=lambda kept: -kept[1]["recall_at_10"]):
        cells = [_marked(_share(scores[key]), scores[key] == best[key]) for key in best]
        table.add_row(NAMES.get(name, name), *cells, style="bold" if name == "tradewind" else "")
    said: list[RenderableType] = [Text(line) for line in _verdicts(policies)]
    weight = f"{measured['baskets']:,} baskets, each judged for all; {measured['without_slate']:,} had no slate before."
    return [table, *said, Text(weight, style="dim")]


def _verdicts(policies: dict[str, dict[str, float]]) -> list[str]:
    mine = policies["tradewind"]["recall_at_10"]
    rivals = sorted((-scores["recall_at_10"], name) for name, scores in policies.items() if name != "tradewind")
    return [_verdict(mine, name, policies[name]) for _, name in rivals]


def _verdict(mine: float, name: str, scores: dict[str, float]) -> str:
    by, error = scores["tradewind_ahead_by"], scores["standard_error"]
    pair = f"{_share(mine)} against {_share(scores['recall_at_10'])}"
    if abs(by) <= _SURE * error:
        return f"Tradewind and {NAMES.get(name, name)} are level on recall@10: {pair} (±{_share(_SURE * error)})."
    return f"Tradewind {'beats' if by > 0 else 'loses to'} {NAMES.get(name, name)} on recall@10: {pair}."


# ---- Stock ----------------------------------------------------------------------------------------------------------

_STOCK_ROWS: Final = (
    ("times out of stock", "stock_outs", ",.0f"),
    ("days out of stock", "days_out_of_stock", ",.1f"),
    ("units lost", "lost_units", ",.0f"),
    ("holding cost", "holding_cost", ",.2f"),
    ("shortage cost", "shortage_cost", ",.2f"),
    ("cost in all", "cost", ",.2f"),
    ("demand filled", "fill_rate", ".2%"),
)


def _stock(measured: dict[str, Any]) -> list[RenderableType]:
    mine, rule = measured["tradewind"], measured["base_stock"]
    if mine is None:
        return [Text(f"Not judged: {measured['why']}.")]
    table = _table("", "Tradewind", "base-stock rule")
    for label, key, form in _STOCK_ROWS:
        ours, theirs = mine[key], rule[key] if rule else None
        table.add_row(label, *_pair(ours, theirs, form, higher_wins=key == "fill_rate"))
    said = _costs(mine, rule) if rule else f"Not compared: {measured['why']}."
    return [table, Text(said), Text(f"{measured['skus']:,} SKUs over {measured['days']:.0f} days.", style="dim")]


def _pair(ours: float | None, theirs: float | None, form: str, *, higher_wins: bool) -> tuple[str, str]:
    cells = ["unknown" if value is None else format(value, form) for value in (ours, theirs)]
    if ours is None or theirs is None or ours == theirs:
        return cells[0], cells[1]
    wins = (ours > theirs) == higher_wins
    return _marked(cells[0], wins), _marked(cells[1], not wins)


def _costs(mine: dict[str, Any], rule: dict[str, Any]) -> str:
    if not rule["cost"]:
        return f"Stock cost {mine['cost']:,.2f}; the base-stock rule would have cost nothing."
    part = mine["cost"] / rule["cost"] - 1
    if abs(part) < 0.0005:
        return f"Tradewind costs what the base-stock rule would have: {mine['cost']:,.2f}."
    word = "beats" if part < 0 else "loses to"
    pair = f"{mine['cost']:,.2f} against {rule['cost']:,.2f}"
    return f"Tradewind {word} the base-stock rule on cost: {pair}, {abs(part):.1%} {'less' if part < 0 else 'more'}."


# ---- Bidding --------------------------------------------------------------------------------------------------------


def _bidding(measured: dict[str, Any]) -> list[RenderableType]:
    mine = measured["tradewind"]
    if mine is None:
        return [Text(f"Not judged: {measured['why']}.")]
    table = _table("", "Tradewind", "possible")
    best = mine["hindsight_value"]
    table.add_row("value won", f"{mine['value_won']:,.2f}", "unknown" if best is None else f"{best:,.2f} in hindsight")
    table.add_row("spend", f"{mine['spend']:,.2f}", f"{mine['budget']:,.2f} budget")
    table.add_row("auctions won", f"{mine['auctions_won']:,}", f"{measured['auctions']:,}")
    over = mine["overspend"]
    lines = [f"Overspent by {over:,.2f}." if over > 0 else "No campaign spent more than its budget."]
    if mine["hindsight_share"] is None:
        lines.insert(0, f"Share of the optimum unknown: {mine['why']}.")
    else:
        lines.insert(0, f"Tradewind won {mine['hindsight_share']:.1%} of what hindsight would have bought.")
    return [table, *(Text(line) for line in lines), Text(f"{measured['campaigns']:,} campaigns.", style="dim")]


# ---- Form -----------------------------------------------------------------------------------------------------------


def _section(title: str, body: list[RenderableType]) -> RenderableType:
    return Padding(Group(Text(title, style="bold"), *body), (1, 0, 0, 0))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        left = place == 0 or column == "out"
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    return table


def _marked(cell: str, wins: bool) -> str:
    return f"{cell} *" if wins else f"{cell}  "


def _share(value: float) -> str:
    """A share with three places and no leading nought."""
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 1 else f"{value:.3f}"
