"""An A/B experiment: who is in which arm. Read from settings, and told what is wrong with them.

An entity's arm is a keyed hash of its name: the same on every worker, after any restart, and independent of every other
experiment's, since each has a salt of its own. In each domain one experiment runs at a time, so that a read-out has one
cause.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final, cast

CONTROL: Final = "control"  # the arm of whatever serves

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ARM: Final = re.compile(r"v(\d{1,9})")
_FIELDS: Final = ("name", "domain", "salt", "arms", "shadow")
_MOST_SALT: Final = 64  # bytes, the longest key of BLAKE2b
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment. `arms` are the treatments with their shares, by name `v<number>`; control has what they leave.

    The first treatment takes entities from below, the second from above, and so on in turn: so of up to two of them a
    share that grows moves entities from control into its arm, and nobody else.
    """

    name: str
    domain: str
    salt: str
    arms: tuple[tuple[str, float], ...] = ()
    shadows: tuple[int, ...] = ()

    def arm_of(self, entity: str) -> str:
        """The arm of an entity.

        >>> warm = Experiment(name="warm", domain="recommendation", salt="warm", arms=(("v7", 0.5),))
        >>> [warm.arm_of(user) for user in ("ann", "bob", "cem", "dia")]
        ['v7', 'control', 'control', 'control']
        """
        x, low, high = place_of(self.salt, entity), 0.0, 1.0
        for turn, (arm, share) in enumerate(self.arms):
            if turn % 2 == 0:
                low += share
                if x < low:
                    return arm
            else:
                high -= share
                if x >= high:
                    return arm
        return CONTROL

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of every arm, control first."""
        taken = dict(self.arms)
        return {CONTROL: max(0.0, round(1.0 - sum(taken.values()), 12))} | taken

    @property
    def numbers(self) -> frozenset[int]:
        """The versions that it takes."""
        return frozenset((*(number_of(arm) for arm, _ in self.arms), *self.shadows))


def number_of(arm: str) -> int:
    """The version of a treatment.

    >>> number_of("v7")
    7
    """
    return int(arm.removeprefix("v"))


def place_of(salt: str, entity: str) -> float:
    """Where an entity stands, in [0, 1): uniform, and independent over salts."""
    digest = blake2b(entity.encode(), digest_size=8, key=salt.encode()).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


# ---- As it is written down ------------------------------------------------------------------------------------------


def experiments_of(given: object, domains: Collection[str]) -> tuple[Experiment, ...]:
    """The experiments in a list of tables. Raises ValueError, for a person: one sentence that says what to do.

    >>> table = {"name": "warm", "domain": "bidding", "arms": {"control": 0.9, "v7": 0.1}, "shadow": [8]}
    >>> experiments_of([table], ["bidding"])[0].shares
    {'control': 0.9, 'v7': 0.1}
    """
    if not isinstance(given, list | tuple):
        raise ValueError("experiments must be a list of tables, each with name, domain and arms")  # noqa: TRY004
    found = tuple(
        one if isinstance(one, Experiment) else _experiment(one, domains) for one in cast(Iterable[object], given)
    )
    for at, one in enumerate(found):
        for other in found[:at]:
            if one.domain == other.domain:
                raise ValueError(f"{other.name!r} and {one.name!r} both run in {one.domain}: run one of them at a time")
            if one.name == other.name or one.salt == other.salt:
                raise ValueError(f"{other.name!r} and {one.name!r} share a name or a salt: give each its own")
    return found


def _experiment(given: object, domains: Collection[str]) -> Experiment:
    if not isinstance(given, Mapping):
        raise ValueError("each experiment must be a table with name, domain and arms")  # noqa: TRY004
    table = cast(Mapping[str, Any], given)
    for field_name in table:
        if field_name not in _FIELDS:
            raise ValueError(f"an experiment has no {field_name!r}: use {', '.join(_FIELDS)}")
    name, domain = table.get("name"), table.get("domain")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"an experiment's name is {name!r}: use up to 64 letters, digits, dots, dashes, underscores")
    if not isinstance(domain, str) or domain not in domains:
        raise ValueError(f"{name}: there is no domain {domain!r}: use one of {', '.join(sorted(domains))}")
    arms, shadows = _arms(name, table.get("arms", {})), _shadows(name, table.get("shadow", []))
    if not arms and not shadows:
        raise ValueError(f"{name} has neither arms nor a shadow: give it arms = {{ v7 = 0.1 }} or shadow = [7]")
    return Experiment(name=name, domain=domain, salt=_salt(name, table.get("salt", name)), arms=arms, shadows=shadows)


def _salt(name: str, given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given.encode()) <= _MOST_SALT:
        raise ValueError(f"{name}: the salt must be a text of 1 to {_MOST_SALT} bytes")
    return given


def _arms(name: str, given: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{name}: arms must be a table of shares, as {{ control = 0.9, v7 = 0.1 }}")  # noqa: TRY004
    shares = {arm: _share(name, arm, share) for arm, share in cast(Mapping[str, Any], given).items()}
    control = shares.pop(CONTROL, None)
    for arm in shares:
        if not _ARM.fullmatch(arm) or arm != f"v{number_of(arm)}":
            raise ValueError(f"{name}: an arm is called {arm!r}: use control, or v and the number of a version, as v7")
    taken = sum(shares.values())
    if taken > 1.0 + _ROUNDING:
        raise ValueError(f"{name}: the shares of its arms add up to {taken:g}: they may not pass 1")
    if control is not None and abs(control + taken - 1.0) > _ROUNDING:
        raise ValueError(f"{name}: control has what the others leave, which is {1.0 - taken:g}, not {control:g}")
    return tuple(shares.items())


def _share(name: str, arm: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0.0 <= given <= 1.0:
        raise ValueError(f"{name}: the share of {arm} is {given!r}: use a number from 0 to 1")
    return float(given)


def _shadows(name: str, given: object) -> tuple[int, ...]:
    numbers = cast(list[object], given) if isinstance(given, list | tuple) else None
    if numbers is None or any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in numbers):
        raise ValueError(f"{name}: shadow is {given!r}: use a list of version numbers, as [8]")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"{name}: shadow names a version twice")
    return tuple(cast(list[int], numbers))
