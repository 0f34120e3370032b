"""An agent within another: it is called, reads and emits as the one inside does; only its step is another."""

from typing import Any

from agents.contract import Agent


class Wrapped:
    """What every wrapping of an agent says of it. Whoever inherits has the agent as a field."""

    __slots__ = ()

    agent: Agent

    @property
    def name(self) -> str:
        return self.agent.name

    @property
    def reads(self) -> Any:
        return self.agent.reads

    @property
    def watches(self) -> Any:
        return self.agent.watches

    @property
    def emits(self) -> Any:
        return self.agent.emits
