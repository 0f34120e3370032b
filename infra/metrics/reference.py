"""The reference of the metrics, made from the table: `python -m infra.metrics.reference` writes it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.metrics.table import METRICS, Metric

PATH: Final = Path("docs/reference/metrics.md")
_ABOUT: Final = """\
# Metrics

What a worker and the learner answer at `/metrics`, where `TRADEWIND_METRICS_PORT` is set
([how to operate](../operate.md)). Times are in seconds. Topics go by the names of their contracts, whatever they are
called on the cluster. Beside these there are the usual `process_…` and `python_info` of the Prometheus client.

This page is made from `infra/metrics/table.py` by `python -m infra.metrics.reference`.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join(
        [_ABOUT, *_table(learner=False), "", "Where the learner runs, also:", "", *_table(learner=True), ""]
    )


def _table(*, learner: bool) -> Iterator[str]:
    yield "| metric | kind | labels | what it says |"
    yield "|---|---|---|---|"
    yield from (_row(metric) for metric in METRICS.values() if metric.learner is learner)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(page(), encoding="utf-8")
    sys.stderr.write(f"{PATH} is written\n")
