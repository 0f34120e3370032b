"""The experiments that the settings name: from TOML tables, or from JSON in the environment."""

from typing import get_args

import orjson

from policies.experiment import Experiment, experiments_of
from streams.records import Domain


def trials_of(given: object) -> tuple[Experiment, ...]:
    """The experiments in tables or in their JSON. Raises ValueError, for a person.

    >>> [one.shares for one in trials_of('[{"name": "warm", "domain": "bidding", "arms": {"v7": 0.25}}]')]
    [{'control': 0.75, 'v7': 0.25}]
    """
    if isinstance(given, str):
        try:
            given = orjson.loads(given or "[]")
        except orjson.JSONDecodeError as error:
            raise ValueError(f"it is not JSON: {error}") from error
    return experiments_of(given, get_args(Domain))
