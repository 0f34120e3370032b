"""`tradewind ope`: what another policy would have earned, from anyone's log of decisions."""

from typing import Annotated, Final

import orjson
import typer

app: Final = typer.Typer(add_completion=False)


@app.command()
def ope(  # noqa: PLR0913 # an evaluation has so many settings
    *,
    log: Annotated[str, typer.Argument(metavar="LOG", help="JSON lines, plain, gzip or zstd; - for standard input.")],
    clip: Annotated[float, typer.Option(min=1e-9, help="Clipped IPS: a larger weight counts as this.")] = 10.0,
    tau: Annotated[float, typer.Option(min=0.0, help="Switch-DR: with a larger weight only the model is used.")] = 5.0,
    lambda_: Annotated[float, typer.Option("--lambda", min=0.0, help="DRos: 0 is DM, very large is DR.")] = 10.0,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Of the intervals.")] = 0.95,
    cluster: Annotated[str | None, typer.Option(help="The field that groups lines that hang together: a user.")] = None,
    reward_low: Annotated[float | None, typer.Option(help="The lowest a reward can be; else as seen.")] = None,
    reward_high: Annotated[float | None, typer.Option(help="The highest a reward can be; else as seen.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False,
) -> None:
    """Estimate what a target policy would have earned on logged decisions, and say whether the log can carry it.

    A line: {"decision_id": "d1", "propensity": 0.2, "reward": 1, "target_propensity": 0.6}; docs/ope.md has the rest.

    tradewind ope log.jsonl.gz

    zcat log-*.gz | tradewind ope - --cluster user_id --reward-low 0 --reward-high 1 --json
    """
    from infra.errors import UserError
    from infra.ope.evaluate import evaluate
    from infra.ope.progress import Reading
    from infra.ope.table import written
    from policies.estimators.terms import Terms

    try:
        terms = Terms(
            confidence=confidence,
            clip=clip,
            switch=tau,
            shrink=lambda_,
            reward_low=reward_low,
            reward_high=reward_high,
            seed=seed,
        )
    except ValueError as error:
        raise UserError(f"--reward-low, --reward-high: {error}") from error
    with Reading(log) as reading:
        found = evaluate(log, terms, cluster, reading.at)
    if as_json:
        print(orjson.dumps(found.as_dict()).decode())
        return
    for line in written(found):
        print(line)
