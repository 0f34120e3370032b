"""The policies that a log is asked about: by name, and what each would have done where another one decided."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

import msgspec

from infra.errors import UserError
from infra.judging.logged import Versions
from policies.version import SHIPPED, PolicyVersion, tensors_of

Rule = Literal["logged", "version", "greedy", "uniform", "popularity"]
RULES: Final = ("uniform", "popularity")


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """One policy as it travels to a worker. `artefact` is its version's, in base64; empty for what ships."""

    name: str
    rule: Rule
    number: int = 0
    artefact: str = ""

    @property
    def version(self) -> PolicyVersion:
        """What it goes by. Made anew each time."""
        return PolicyVersion.read(b64decode(self.artefact)) if self.artefact else SHIPPED


def named(names: str, versions: Versions, serving: PolicyVersion | None) -> list[Rival]:
    """The policies of these names, separated by commas. Raises UserError.

    `serving` is the version that decided last; None where that isn't known.
    """
    given = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not given:
        raise UserError(f"--policy is empty: {_WAYS}")
    return [_named(name, versions, serving) for name in given]


_WAYS: Final = (
    "use some of logged, serving, shipped, a version's number, a .safetensors file, uniform, popularity, greedy or "
    "greedy:NUMBER, separated by commas"
)


def _named(name: str, versions: Versions, serving: PolicyVersion | None) -> Rival:
    if name == "logged":
        return Rival(name=name, rule="logged")
    if name in RULES:
        return Rival(name=name, rule=cast(Rule, name))
    kind, _, which = name.partition(":")
    if kind == "greedy":
        return _of(name, "greedy", _version(which or "serving", versions, serving))
    return _of(name, "version", _version(name, versions, serving))


def _of(name: str, rule: Rule, version: PolicyVersion) -> Rival:
    artefact = "" if version.sha256 == SHIPPED.sha256 else b64encode(version.raw).decode()
    return Rival(name=name, rule=rule, number=version.number, artefact=artefact)


def _version(name: str, versions: Versions, serving: PolicyVersion | None) -> PolicyVersion:
    if name in {"shipped", "0"}:
        return SHIPPED
    if name == "serving":
        if serving is None:
            raise UserError(
                "--policy serving: which version serves isn't known: no decision in the range names a known version"
            )
        return serving
    if name.isdecimal():
        return _numbered(int(name), versions)
    if name.endswith(".safetensors"):
        return _file(name, serving or SHIPPED, versions)
    raise UserError(f"--policy: there is no policy {name!r}: {_WAYS}")


def _numbered(number: int, versions: Versions) -> PolicyVersion:
    found = [version for version in versions.values() if version.number == number]
    if not found:
        known = ", ".join(str(n) for n in sorted({version.number for version in versions.values()}))
        raise UserError(f"--policy {number}: the history's policy-versions hold no such version, only {known}")
    return found[0]  # as in the log, where a number means the first version that had it


def _file(name: str, parent: PolicyVersion, versions: Versions) -> PolicyVersion:
    """The version that `tradewind policies promote` would make of the file."""
    from pathlib import Path

    from infra.versions.pretrained import brought

    number = max((one.number for one in versions.values()), default=0) + 1
    return brought(Path(name), parent, versions.values(), number)[0]


def packed(versions: Versions) -> dict[str, str]:
    """Versions as they travel to a worker: artefacts in base64, by hash. What ships needs none."""
    return {sha256: b64encode(version.raw).decode() for sha256, version in versions.items() if sha256 != SHIPPED.sha256}


def unpacked(artefacts: Mapping[str, str]) -> dict[str, PolicyVersion]:
    """The way back, with what ships."""
    found = {sha256: PolicyVersion.read(b64decode(raw), expected=sha256) for sha256, raw in artefacts.items()}
    return {SHIPPED.sha256: SHIPPED, **found}


def lasting(given: Mapping[str, Any]) -> Any:
    """What stays of a policy, as plain data, when another version comes to serve."""
    if not str(given["name"]).endswith(".safetensors"):
        return given
    version = msgspec.convert(given, Rival).version
    held = version.evidence.get("pretrained")  # a domain's prior, by the file's hash; else the file is a whole version
    return [given["name"], held or {name: array.tobytes() for name, array in tensors_of(version.priors).items()}]


def rivals_of(given: Sequence[Mapping[str, Any]]) -> list[Rival]:
    """From plain data."""
    return msgspec.convert(list(given), list[Rival])
