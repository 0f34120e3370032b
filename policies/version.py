"""A version of the policy: immutable, numbered, hashed. The seam between choosing and learning.

As it travels it is a safetensors artefact: a tensor for each number that chooses, named `<domain>.<name>`, and a header
that says where it comes from. Its sha256 is that of those bytes, so it names all that a decision was made by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, Final, cast

import numpy as np
import orjson

from policies.artefact import Array, ArtefactError, pack, unpack
from policies.shipped import FOLDER

Priors = dict[str, Any]  # one domain's, or by domain: numbers, lists of them, and a network's weights as float32 arrays

SCHEMA: Final = "tradewind.policy-version/1"
_NUMBERS: Final = "fiu"  # kinds of a tensor: floats and whole numbers
MAX_BYTES: Final = 640 * 1024  # in base64, one Kafka message still holds it


@cache
def shipped_sha256() -> str:
    """The hash of the priors that come with the package, so that version 0 of another package has another hash."""
    digest = sha256()
    for path in sorted(FOLDER.glob("*.safetensors")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """What `step` chooses by. A new version is a new object; the one in use is never changed.

    `priors` holds, per domain, what a new entity's belief starts from; a domain that it leaves out is as shipped.
    `published_at` is epoch ms; `evidence` is what the gate found. `shipped` is the hash of what the domains that it
    leaves out go by; "" where just that is being made, which mustn't hang on what there was before.
    """

    number: int
    parent: int
    priors: Priors
    parent_sha256: str = ""
    published_at: int = 0
    seed: int = 0
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])
    shipped: str = field(default_factory=shipped_sha256)

    @cached_property
    def raw(self) -> bytes:
        """The artefact. The same version always gives the same bytes."""
        about = {
            "schema": SCHEMA,
            "number": str(self.number),
            "parent": str(self.parent),
            "parent_sha256": self.parent_sha256,
            "made_at": str(self.published_at),
            "seed": str(self.seed),
            "evidence": orjson.dumps(self.evidence, option=orjson.OPT_SORT_KEYS).decode(),
            "shipped": self.shipped,
        }
        return pack(tensors_of(self.priors), about)

    @cached_property
    def sha256(self) -> str:
        """The hash of the artefact."""
        return sha256(self.raw).hexdigest()

    def prior(self, domain: str, default: Priors) -> Priors:
        """The prior of one domain; `default`, what ships with the domain, fills in whatever wasn't learned yet."""
        learned = self.priors.get(domain)
        if not learned:
            return default
        return {**default, **{name: _widened(value, default.get(name)) for name, value in learned.items()}}

    @classmethod
    def read(cls, raw: bytes, *, expected: str | None = None) -> "PolicyVersion":
        """The version in an artefact of this sha256. Raises ArtefactError: it is damaged, foreign or too large."""
        if len(raw) > MAX_BYTES:
            raise ArtefactError(f"the artefact has {len(raw)} bytes; a version has no more than {MAX_BYTES}")
        artefact = unpack(raw, schema=SCHEMA, expected=expected)
        about = artefact.about
        try:
            version = cls(
                number=int(about["number"]),
                parent=int(about["parent"]),
                priors=priors_of(artefact.tensors),
                parent_sha256=about["parent_sha256"],
                published_at=int(about["made_at"]),
                seed=int(about["seed"]),
                evidence=_object(about["evidence"]),
            )
        except (KeyError, ValueError) as error:
            raise ArtefactError(f"the artefact's header can't be read: {error}") from error
        version.__dict__["raw"] = raw  # what was hashed, not what this code would write
        return version


def _object(raw: str) -> dict[str, Any]:
    found: object = orjson.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("its evidence is no object")  # noqa: TRY004 # what a file holds is wrong, not what this code gives
    return cast(dict[str, Any], found)


def _widened(value: Any, default: Any) -> Any:
    """A list of numbers, or of lists, of fewer weights than there are now: the others are as they ship.

    >>> _widened([5.0], [1.0, 2.0]), _widened([[5.0]], [[1.0, 0.0], [0.0, 2.0]]), _widened(3.0, 1.0)
    ([5.0, 2.0], [[5.0, 0.0], [0.0, 2.0]], 3.0)
    """
    given: object = value
    if not (isinstance(given, list) and isinstance(default, list)):
        return value
    own, whole = cast(list[Any], given), cast(list[Any], default)
    if len(own) >= len(whole):
        return own
    return [*(_widened(one, other) for one, other in zip(own, whole, strict=False)), *whole[len(own) :]]


def tensors_of(priors: Mapping[str, Priors]) -> dict[str, Array]:
    """Every number by `<domain>.<name>`. Raises ArtefactError for what is no number.

    >>> sorted(tensors_of({"bidding": {"log_mu": 0.5, "ctr": [1.0, 99.0]}}).items())
    [('bidding.ctr', array([ 1., 99.])), ('bidding.log_mu', array(0.5))]
    """
    tensors: dict[str, Array] = {}
    for domain, prior in sorted(priors.items()):
        for name, value in sorted(prior.items()):
            tensors[f"{domain}.{name}"] = array = np.asarray(value)
            if array.dtype.kind not in _NUMBERS:
                raise ArtefactError(f"{domain}.{name} is not made of numbers")
    return tensors


def priors_of(tensors: Mapping[str, Array]) -> Priors:
    """The way back: float64 and whole numbers as plain numbers and lists, anything else (weights) as arrays.

    >>> priors_of({"bidding.ctr": np.array([1.0, 99.0]), "bidding.log_mu": np.array(0.5)})
    {'bidding': {'ctr': [1.0, 99.0], 'log_mu': 0.5}}
    """
    priors: Priors = {}
    for key, array in sorted(tensors.items()):
        domain, _, name = key.partition(".")
        if not name:
            raise ArtefactError(f"a tensor is named {key!r}, not <domain>.<name>")
        if array.dtype.kind not in _NUMBERS:
            raise ArtefactError(f"{key} is not made of numbers")
        plain = array.dtype == np.float64 or array.dtype.kind in "iu"
        priors.setdefault(domain, {})[name] = array.tolist() if plain or array.ndim == 0 else array
    return priors


def apart(one: PolicyVersion, other: PolicyVersion) -> list[str]:
    """The domains in which two versions don't go by the same prior, in order.

    >>> apart(PolicyVersion(number=1, parent=0, priors={"bidding": {"log_mu": 0.5}}), SHIPPED)
    ['bidding']
    """
    mine, theirs = tensors_of(one.priors), tensors_of(other.priors)
    differing = {
        name
        for name in mine.keys() | theirs.keys()
        if name not in mine or name not in theirs or not _equal(mine[name], theirs[name])
    }
    return sorted({name.partition(".")[0] for name in differing})


def _equal(one: Array, other: Array) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


SHIPPED: Final = PolicyVersion(number=0, parent=0, priors={})
