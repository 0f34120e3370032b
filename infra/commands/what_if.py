"""`tradewind what-if`: recorded demand and auctions under other orders and other bids."""

from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
import typer

from infra.whatif.over_history import OverHistory, over_history

if TYPE_CHECKING:
    from infra.whatif.proof import Answered
    from infra.whatif.source import Source

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""What other orders, or other bids, would have come to on what was recorded.

    tradewind what-if stock --events history.jsonl.gz

    tradewind what-if ads --from last=30d --budget-factor 1.2
    """,
)

Policy = Annotated[
    str | None,
    typer.Option(help="Only these, separated by commas: by name, a version's number, or a .safetensors file."),
]
Report = Annotated[
    Path | None,
    typer.Option(help="Write what it proves of a version here (.json), for `tradewind policies promote --evidence`."),
]


@app.command()
@over_history
def stock(
    *,
    where: OverHistory,
    policy: Policy = None,
    lead_time_days: Annotated[
        float | None, typer.Option(min=0, max=3650, help="Orders take so long, whatever the catalog says.")
    ] = None,
    lead_times: Annotated[
        Literal["catalog", "observed"], typer.Option(help="Where lead times come from: observed is the median seen.")
    ] = "catalog",
    shortage_cost: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="Per unit of a lost sale, in place of the catalog's.")
    ] = None,
    holding_cost: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="Per unit and day, in place of the catalog's.")
    ] = None,
    censored: Annotated[
        Literal["as-recorded", "impute"],
        typer.Option(help="Demand in recorded stock-outs: none but what was ordered, or at the believed rate."),
    ] = "as-recorded",
    report: Report = None,
) -> None:
    """What other orders would have cost: live, base-stock and capped-base-stock on the recorded demand.

    tradewind what-if stock --events history.jsonl.gz --policy live,base-stock --json

    tradewind what-if stock --from last=90d --lead-time-days 5 --censored impute

    tradewind what-if stock --from last=30d --policy live,7 --report evidence.json
    """
    from infra.whatif.stock import answered
    from infra.whatif.stock_wish import POLICIES, Wish
    from infra.whatif.table import show_stock
    from streams.times import HOUR

    settings = where.settings
    wish = Wish(
        policies=_names(policy) or POLICIES,
        review_ms=round(settings.review_hours * HOUR),
        lead_time_days=lead_time_days,
        lead_times=lead_times,
        shortage_cost=shortage_cost,
        holding_cost=holding_cost,
        censored=censored,
    )
    answer = _asked(lambda source: answered(source, wish), where.source(settings), report)
    if where.as_json:
        _print(answer)
    else:
        show_stock(answer)


@app.command()
@over_history
def ads(
    *,
    where: OverHistory,
    policy: Policy = None,
    budget: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="Every campaign's, in place of its own.")
    ] = None,
    budget_factor: Annotated[
        float | None, typer.Option(min=0, max=1e6, help="So many times every campaign's own budget.")
    ] = None,
    report: Report = None,
) -> None:
    """What other bids would have won: live, cold-dual-pacing and mirror-pacing in the recorded second-price auctions.

    tradewind what-if ads --events history.jsonl.gz --budget-factor 1.2

    tradewind what-if ads --from last=30d --policy live --json
    """
    from infra.errors import UserError
    from infra.whatif.ads import POLICIES, Wish, answered
    from infra.whatif.table import show_ads

    if budget is not None and budget_factor is not None:
        raise UserError("--budget and --budget-factor say the same thing twice: leave one out")
    wish = Wish(policies=_names(policy) or POLICIES, budget=budget, budget_factor=budget_factor)
    answer = _asked(lambda source: answered(source, wish), where.source(where.settings), report)
    if where.as_json:
        _print(answer)
    else:
        show_ads(answer)


def _asked(answered: Callable[["Source"], "Answered"], source: "Source", report: Path | None) -> dict[str, Any]:
    """The answer, and the report written where one was asked for. Raises UserError."""
    from infra.errors import UserError
    from infra.report import written
    from infra.whatif import proof

    if report is not None:
        if report.suffix != ".json":
            raise UserError(f"--report {report}: name a .json file: it is what `policies promote --evidence` reads")
        written.check(report)
    found = answered(source)
    if report is not None:
        if found.played is None:
            raise UserError("--report tells of versions: name one in --policy, as live,7 or live,prior.safetensors")
        made_at = int(time() * 1000)
        evidence = proof.evidence(found.played, source, made_at=made_at, since=found.first, until=found.last)
        written.write(report, evidence)
    return found.answer


def _names(policy: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in (policy or "").split(",") if name.strip()))


def _print(answer: dict[str, Any]) -> None:
    print(orjson.dumps(answer).decode())
