"""Events a second: Tradewind against each peer on the same input, in rounds, so that both meet the same weather."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from agents.contract import State
from policies.version import SHIPPED
from streams.profile import USER_FEATURES
from streams.topics import DECISIONS
from tests.benchmarks.engine import contestants as c
from tests.benchmarks.engine.agents import agent_of
from tests.benchmarks.engine.bench import Bench, Findings, say
from tests.benchmarks.engine.contest import Contestant, Run, run
from tests.benchmarks.engine.place import Placed
from tests.benchmarks.engine.profiles import inputs, shared_views
from tests.benchmarks.engine.spread import Spread, ratios
from tests.benchmarks.engine.table import Row

WARM_UP: Final = 0.25  # of the input: not counted
_LOOKED_AT: Final = 2_000  # events


def rounds(bench: Bench, contestants: Sequence[Contestant], total: int) -> list[dict[str, Run]]:
    """Each of them once per round, in turn."""
    found: list[dict[str, Run]] = []
    for number in range(1, bench.repeats + 1):
        runs: dict[str, Run] = {}
        for one in contestants:
            made = runs[one.name] = full_speed(bench, one, total)
            say(f"round {number}/{bench.repeats}: {one.name} {made.rate:,.0f} events/s, {made.cpu_us:,.0f} µs CPU each")
        found.append(runs)
    return found


def full_speed(bench: Bench, one: Contestant, total: int) -> Run:
    """One of them through its whole input, the first part of which isn't counted."""
    return run(
        one,
        address=bench.address,
        folder=bench.folder,
        total=total,
        warm_up=int(WARM_UP * total),
        settings=bench.settings,
    )


def _numbers(found: Sequence[dict[str, Run]]) -> dict[str, Any]:
    return {
        "rounds": [{name: asdict(made) for name, made in each.items()} for each in found],
        "load_average": os.getloadavg(),
    }


def _about(bench: Bench) -> Row:
    """What the job is: counted, so that a shop with less in it can't pass for it."""
    events = bench.reference()
    requests = sum(b'"type":"request"' in value for _, value in events)
    step = agent_of("recommendation", Placed()).step(
        State({}, shared_views(bench.job)), inputs(events[:_LOOKED_AT]), SHIPPED, 0
    )
    candidates = [len(made.record.candidates) for made in step.outputs if made.topic is DECISIONS]
    return Row(
        measure="the reference job",
        target="",
        measured=f"{len(events):,} events, {100 * requests / len(events):.1f}% of them requests; "
        f"{len(USER_FEATURES.features)} statistics a user; {Spread.of(candidates).text('.0f')} candidates a slate",
    )


def _rates(found: Sequence[dict[str, Run]]) -> list[dict[str, float]]:
    return [{name: made.rate for name, made in each.items()} for each in found]


def _speed_rows(found: Sequence[dict[str, Run]]) -> list[Row]:
    names = list(found[0])
    return [
        Row(
            measure=f"{name}, events/s",
            target="",
            measured=", ".join(
                (
                    Spread.of(each[name].rate for each in found).text(",.0f"),
                    Spread.of(each[name].cpu_us for each in found).text(",.0f", " µs CPU each"),
                )
            ),
        )
        for name in names
    ]


def job(bench: Bench, peers: Sequence[Contestant]) -> Findings:
    """The reference job against any of: Quix, Faust, Tradewind at least once."""
    found = rounds(bench, [c.TRADEWIND, *peers], bench.events)
    rates = _rates(found)
    rows = [_about(bench), *_speed_rows(found)]
    for peer, least in ((c.QUIX, 3.0), (c.FAUST, 10.0)):
        if peer in peers:
            times = Spread.of(ratios(rates, c.TRADEWIND.name, peer.name))
            rows.append(
                Row(
                    measure=f"reference job against {peer.name}",
                    target=f"≥ {least:.0f}×",
                    measured=times.text(".2f", "×"),
                    reached=times.median >= least,
                )
            )
    if c.AT_LEAST_ONCE in peers:
        cost = Spread.of(100 * (1 - each) for each in ratios(rates, c.TRADEWIND.name, c.AT_LEAST_ONCE.name))
        rows.append(
            Row(
                measure="cost of exactly once, throughput",
                target="≤ 15%",
                measured=cost.text(".1f", "%"),
                reached=cost.median <= 15.0,
            )
        )
    return Findings(rows=rows, numbers=_numbers(found))


def empty_step(bench: Bench) -> Findings:
    """The engine with nothing to do, as a share of the least that any engine must do."""
    found = rounds(bench, [c.ECHO, c.BARE], bench.many)
    share = Spread.of(100 * each for each in ratios(_rates(found), c.ECHO.name, c.BARE.name))
    row = Row(
        measure="empty step against a bare loop",
        target="≥ 60%",
        measured=share.text(".0f", "%"),
        reached=share.median >= 60.0,
    )
    return Findings(rows=[*_speed_rows(found), row], numbers=_numbers(found))
