"""The answer to a what-if as a person reads it: what each policy came to, beside the record; then what is assumed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

CATEGORIES: Final = 5  # shown, those with most demand; the rest is in the JSON


def _money(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 1_000 else f"{amount:,.2f}"


def _share(part: float) -> str:
    return f"{part:.1%}"


def _units(units: float) -> str:
    return f"{units:,.0f}" if units >= 100 else f"{units:.3g}"


_Columns = Sequence[tuple[str, str, Callable[[Any], str]]]
_STOCK: Final[_Columns] = (
    ("cost", "cost", _money),
    ("holding", "holding_cost", _money),
    ("shortage", "shortage_cost", _money),
    ("fill", "fill_rate", _share),
    ("lost", "lost_units", _units),
    ("orders", "orders", _units),
    ("stock", "average_stock", _units),
    ("outs", "stock_outs", _units),
)
_ADS: Final[_Columns] = (
    ("value", "value_won", _money),
    ("of best", "hindsight_share", _share),
    ("spend", "spend", _money),
    ("budget", "budget", _money),
    ("won", "auctions_won", _units),
    ("not known", "undetermined_auctions", _units),
)


def show_stock(answer: Mapping[str, Any]) -> None:
    """Print what shelves came to: all of them, then fast and slow movers, then the largest categories.

    `lost` are units, `stock` is the average of a SKU in units, `outs` are stock-outs.
    """
    where, recorded = Console(), answer["recorded"]
    _show(where, answer, _STOCK, f"{recorded['skus']:,} SKUs, {answer['range']['days']:,.4g} days")
    for name in recorded["by_class"]:
        _show_part(where, answer, "by_class", name, f"{name} movers")
    names = sorted(recorded["by_category"], key=lambda name: -recorded["by_category"][name]["demanded_units"])
    for name in names[:CATEGORIES] if len(names) > 1 else []:
        _show_part(where, answer, "by_category", name, name or "no category")
    if len(names) > CATEGORIES:
        where.print(f"{len(names) - CATEGORIES:,} more categories: see --json.", highlight=False)
    _tell(where, answer)


def _show_part(where: Console, answer: Mapping[str, Any], part: str, name: str, title: str) -> None:
    policies = {which: bill[part][name] for which, bill in answer["policies"].items()}
    cut = {"policies": policies, "recorded": answer["recorded"][part][name]}
    _show(where, cut, _STOCK, f"{title}, {cut['recorded']['skus']:,} SKUs")


def show_ads(answer: Mapping[str, Any]) -> None:
    """Print what auctions came to."""
    where, recorded = Console(), answer["recorded"]
    _show(where, answer, _ADS, f"{len(recorded['campaigns']):,} campaigns, {recorded['auctions']:,} auctions")
    _tell(where, answer)


def _show(where: Console, answer: Mapping[str, Any], columns: _Columns, title: str) -> None:
    table = Table(title=escape(title), title_justify="left", box=None)
    table.add_column("", no_wrap=True)
    for name, _, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for name, found in (("as recorded", answer["recorded"]), *answer["policies"].items()):
        table.add_row(name, *("-" if found[field] is None else say(found[field]) for _, field, say in columns))
    where.print(table)
    where.print()


def _tell(where: Console, answer: Mapping[str, Any]) -> None:
    for name, one in answer["against_serving"].items():
        said = f"{name}: {one['difference']:+.4g} a decision ({one['low']:+.4g} to {one['high']:+.4g}) over what serves"
        why = f"; refused: {' '.join(one['reasons'])}" if one["reasons"] else ""
        where.print(said + why, highlight=False, markup=False, soft_wrap=True)
    where.print("What is assumed:")
    for sentence in answer["assumptions"]:
        where.print(f"- {sentence}", highlight=False, markup=False, soft_wrap=True)
    for name, count in answer["left_out"].items():
        where.print(f"- left out: {count:,} {name}", highlight=False, markup=False, soft_wrap=True)
