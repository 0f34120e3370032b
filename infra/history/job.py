"""What is done with a history, named by import path and plain options, so that any process can make it.

A history is dealt into shares. All messages of one key of topics that are keyed alike (an entity's decisions and its
outcomes) come to one share, in the order of its partition; each share has a job of its own, and in the end the shares'
sums are merged in the order of their numbers. Which process worked on which share never shows in the result.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

import msgspec

from infra.history.message import Found


class Job(Protocol):
    """The work on one share. Made by calling what `Task.job` names with `Task.options` as keywords."""

    def add(self, found: Found) -> None:
        """Take in the next message, or what was none. Called in the order of the history; must not keep all of it."""
        ...

    def dump(self) -> bytes:
        """All that has been gathered. Must not change what follows: it is called at checkpoints too."""
        ...

    def load(self, raw: bytes) -> None:
        """Be what `dump` said. Called on a new job only. Going on from there must equal never having stopped."""
        ...

    def merge(self, raw: bytes) -> None:
        """Take in the dump of the share after this one.

        What waits for its other half in either (partitions were added to a topic in the middle of the history, so that
        an entity moved) must find it here.
        """
        ...


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A job by name: `job` is "package.module:Name"; `options` are JSON values."""

    job: str
    options: Mapping[str, Any] = {}

    def make(self) -> Job:
        """A new job. Raises ImportError or AttributeError where there is none of that name."""
        module, _, name = self.job.partition(":")
        made = cast(Callable[..., Job], getattr(import_module(module), name))
        return made(**self.options)
