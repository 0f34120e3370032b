"""Where versions are tried: the arms and shadows of the experiments that the settings name. No Kafka."""

from collections.abc import Collection, Iterable
from typing import Any

from policies.experiment import Experiment, number_of


def tried(experiments: Iterable[Experiment], number: int) -> list[dict[str, Any]]:
    """The arms that a version is in, each with its share; a shadow's is 0: it decides for the log alone.

    >>> warm = Experiment(name="warm", domain="bidding", salt="warm", arms=(("v7", 0.1),), shadows=(8,))
    >>> [one["arm"] for one in tried([warm], 7)], tried([warm], 8)[0]["share"], tried([warm], 9)
    (['v7'], 0.0, [])
    """
    found: list[dict[str, Any]] = []
    for one in experiments:
        told = {"experiment": one.name, "domain": one.domain}
        found += [told | {"arm": arm, "share": share} for arm, share in one.arms if number_of(arm) == number]
        found += [told | {"arm": "shadow", "share": 0.0} for shadow in one.shadows if shadow == number]
    return found


def words(arms: Iterable[dict[str, Any]]) -> str:
    """The same for a person.

    >>> words([{"experiment": "warm", "domain": "bidding", "arm": "v7", "share": 0.1}])
    '10% of warm'
    """
    return ", ".join(
        f"shadow of {one['experiment']}"
        if one["arm"] == "shadow"
        else f"{100 * one['share']:.4g}% of {one['experiment']}"
        for one in arms
    )


def missing(experiments: Iterable[Experiment], known: Collection[int]) -> list[str]:
    """A sentence for each version that an experiment takes and nobody has brought."""
    return [
        f"Experiment {one.name} takes version {number}, which isn't there: its entities get what serves. "
        "`tradewind policies offer` brings one."
        for one in experiments
        for number in sorted(one.numbers)
        if number and number not in known
    ]
