"""Which agents play: by name, with the options that the settings give them."""

from agents.contract import Agent
from agents.wiring import FLOWS, AgentOptions, build
from infra.errors import UserError
from infra.settings import Settings
from streams.times import HOUR, MINUTE


def chosen(names: str | None, settings: Settings) -> list[Agent]:
    """The agents of these names, separated by commas, in wiring order; all of them for None. Raises UserError."""
    wanted = list(FLOWS) if names is None else [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in FLOWS:
            raise UserError(f"--agents: there is no agent {name!r}: use some of {', '.join(FLOWS)}")
    options = AgentOptions(
        refresh_interval_ms=round(settings.refresh_interval_minutes * MINUTE),
        attribution_window_ms=round(settings.attribution_window_hours * HOUR),
        review_ms=round(settings.review_hours * HOUR),
    )
    return [build(name, options) for name in FLOWS if name in wanted]
