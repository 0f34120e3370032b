"""Which pages are made from the code, and by what."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from infra.metrics import reference as metrics
from infra.reference import commands, settings, topics

ROOT: Final = Path("docs/reference")
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    settings.NAME: settings.page,
    topics.NAME: topics.page,
    commands.NAME: commands.page,
    metrics.PATH.name: metrics.page,
}
