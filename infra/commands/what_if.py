"""`tradewind what-if`: recorded demand and auctions under other orders and other bids."""

from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
import typer

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.whatif.source import Source

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""What other orders, or other bids, would have come to on what was recorded.

    tradewind what-if stock --events history.jsonl.gz

    tradewind what-if ads --from last=30d --budget-factor 1.2
    """,
)

Events = Annotated[
    Path | None, typer.Option(help="A history of `tradewind export` instead of a cluster: a file, or a directory.")
]
Since = Annotated[
    str | None, typer.Option("--from", help="What was logged from then on: RFC 3339, epoch ms or last=7d.")
]
Until = Annotated[str | None, typer.Option("--to", help="What was logged before then.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object last instead of the table.")]
Servers = Annotated[str | None, typer.Option("--bootstrap-servers", help="The Kafka brokers, host:port.")]
Prefix = Annotated[str | None, typer.Option(help="Put before the name of every topic.")]
Policy = Annotated[str | None, typer.Option(help="Only these policies, by name, separated by commas.")]


@app.command()
def stock(  # noqa: PLR0913 # each is an option
    *,
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
    events: Events = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """What other orders would have cost: live, base-stock and capped-base-stock on the recorded demand.

    tradewind what-if stock --events history.jsonl.gz --policy live,base-stock --json

    tradewind what-if stock --from last=90d --lead-time-days 5 --censored impute
    """
    from infra.whatif.stock import what_if
    from infra.whatif.stock_wish import POLICIES, Wish
    from infra.whatif.table import show_stock
    from streams.times import HOUR

    settings = _settings(bootstrap_servers, prefix)
    wish = Wish(
        policies=_names(policy) or POLICIES,
        review_ms=round(settings.review_hours * HOUR),
        lead_time_days=lead_time_days,
        lead_times=lead_times,
        shortage_cost=shortage_cost,
        holding_cost=holding_cost,
        censored=censored,
    )
    answer = what_if(_source(settings, events, since, until), wish)
    if as_json:
        _print(answer)
    else:
        show_stock(answer)


@app.command()
def ads(  # noqa: PLR0913 # each is an option
    *,
    policy: Policy = None,
    budget: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="Every campaign's, in place of its own.")
    ] = None,
    budget_factor: Annotated[
        float | None, typer.Option(min=0, max=1e6, help="So many times every campaign's own budget.")
    ] = None,
    events: Events = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    bootstrap_servers: Servers = None,
    prefix: Prefix = None,
) -> None:
    """What other bids would have won: live, cold-dual-pacing and mirror-pacing in the recorded second-price auctions.

    tradewind what-if ads --events history.jsonl.gz --budget-factor 1.2

    tradewind what-if ads --from last=30d --policy live --json
    """
    from infra.errors import UserError
    from infra.whatif.ads import POLICIES, Wish, what_if
    from infra.whatif.table import show_ads

    if budget is not None and budget_factor is not None:
        raise UserError("--budget and --budget-factor say the same thing twice: leave one out")
    settings = _settings(bootstrap_servers, prefix)
    wish = Wish(policies=_names(policy) or POLICIES, budget=budget, budget_factor=budget_factor)
    answer = what_if(_source(settings, events, since, until), wish)
    if as_json:
        _print(answer)
    else:
        show_ads(answer)


def _names(policy: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in (policy or "").split(",") if name.strip()))


def _settings(servers: str | None, prefix: str | None) -> "Settings":
    from infra.serving.tuning import settle
    from infra.settings import load

    settle()
    return load(bootstrap_servers=servers, prefix=prefix)


def _source(settings: "Settings", events: Path | None, since: str | None, until: str | None) -> "Source":
    from infra.history.times import between
    from infra.whatif.source import Source

    first, end = between(since, until, now=int(time() * 1000))
    return Source(settings=settings, events=events, since=first, until=end)


def _print(answer: dict[str, Any]) -> None:
    print(orjson.dumps(answer).decode())
