"""Slates asked for in one step, and their choice: of those of one version, and of one encoder, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from agents.contract import Input
from agents.pairs import Facts, Known, encoded_by
from agents.slates import OpenSlate
from agents.treatment import Treatment
from policies.attention.prior import Encoder, encoder_of
from policies.attention.scene import Scene
from policies.draws import seed_of
from policies.slates.evidence import Evidence, GaussianPrior
from policies.slates.recommend import FEATURES, SCALE, Ints, prior_of, query
from policies.slates.slate import Slate, choose
from policies.version import PolicyVersion
from streams.records import UserEvent

SLATE_SIZE: Final = 10


class SlatePrior(NamedTuple):
    """What a version chooses by: the prior over the weights, the temperature, and what sees a user's history."""

    weights: GaussianPrior
    temperature: float
    encoder: Encoder

    @classmethod
    def of(cls, version: PolicyVersion) -> "SlatePrior":
        return cls(*prior_of(version), encoder_of(version))


SlateTreatment = Treatment[SlatePrior]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slate asked for, with all that its choice depends on as it was at that place in the order."""

    input: Input
    decided_at: int
    facts: Facts  # of the candidates, and after them of what was kept back
    kept_back: int  # items that may not be shown
    evidence: Mapping[str, Evidence]  # by the encoder in whose space it is: the version's that decides, and shadows'
    treatment: SlateTreatment
    open: OpenSlate
    placement: str

    @property
    def event(self) -> UserEvent:
        return cast(UserEvent, self.input.record)

    @property
    def size(self) -> int:
        return self.event.slate_size or SLATE_SIZE

    def seed(self, by: SlateTreatment) -> int:
        return seed_of(by.version.sha256, self.event.event_id)


@dataclass(frozen=True, slots=True)
class Faced:
    """What a choice was made from: items, their features [C, d] as one encoder sees them, and what that was given.

    The last `kept_back` may not be shown: what that costs, they tell.
    """

    names: list[str]
    all_phi: Ints
    scene: Scene | None
    kept_back: int

    @property
    def items(self) -> list[str]:
        return self.names[: len(self.names) - self.kept_back]

    @property
    def phi(self) -> Ints:
        return self.all_phi[: len(self.all_phi) - self.kept_back]

    def logged(self, encoder: Encoder) -> dict[str, Any]:
        """As the decision log holds it."""
        many = len(self.phi)
        found: dict[str, Any] = {"names": FEATURES, "unit": SCALE, "phi": self.phi, "withheld": self.names[many:]}
        if self.kept_back:
            found["withheld_phi"] = self.all_phi[many:]
        if self.scene is not None:
            found["history"] = {"encoder": encoder.name} | self.scene.logged()
        return found


@dataclass(frozen=True, slots=True)
class Sights:
    """The features of slates asked for together, as each encoder sees them: worked out once an encoder and slate."""

    known: Sequence[Known]
    _found: dict[tuple[str, int], Ints] = field(default_factory=dict[tuple[str, int], Ints])

    def seen(self, by: Sequence[SlateTreatment]) -> list[Ints]:
        """The features of each, as the encoder of its version sees them."""
        names = [each.prior.encoder.name for each in by]
        for encoder in {each.prior.encoder.name: each.prior.encoder for each in by}.values():
            places = [at for at, name in enumerate(names) if name == encoder.name and (name, at) not in self._found]
            made = encoded_by(encoder, [self.known[at] for at in places])
            self._found.update({(encoder.name, at): phi for at, phi in zip(places, made, strict=True)})
        return [self._found[name, at] for at, name in enumerate(names)]


def chosen(asked: Sequence[Asked], faced: Sequence[Faced], by: Sequence[SlateTreatment]) -> list[Slate]:
    """A slate for each, by a version of its own."""
    slates: dict[int, Slate] = {}
    for version in dict.fromkeys(each.version.sha256 for each in by):
        places = [at for at, each in enumerate(by) if each.version.sha256 == version]
        prior = by[places[0]].prior
        name = prior.encoder.name
        queries = [
            query(faced[at].phi, asked[at].evidence[name], asked[at].seed(by[at]), asked[at].size) for at in places
        ]
        slates.update(zip(places, choose(queries, prior.weights, prior.temperature), strict=True))
    return [slates[at] for at in range(len(asked))]
