"""All that is kept of one user: what was bought, slates under way, what was learned. No choice, no topic."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

import msgspec

from agents.contract import Draft
from agents.slates import OpenSlate, Slates
from policies.attention.prior import Encoder
from policies.linalg import Floats
from policies.slates.evidence import Evidence
from policies.slates.recommend import ENCODED, MEMORY_MS, read
from policies.slates.ring import RING, Kept, under
from streams.profile import Profile


class User(msgspec.Struct):
    """One entry. Slates as they came, for another encoder, are entries of their own: they are seldom needed."""

    profile: Profile = msgspec.field(default_factory=Profile)
    slates: Slates = msgspec.field(default_factory=Slates)
    evidence: Evidence = msgspec.field(default_factory=Evidence)
    rung: int = 0  # slates that have gone into the ring
    told_at: int = 0  # when a purchase of this user was last told to the learner


@dataclass(frozen=True, slots=True)
class Own:
    """A user's entries in a step's draft, and what is believed of the user in the space of one encoder or another."""

    draft: Draft
    name: str
    user: User

    def begin(self, slate: OpenSlate) -> None:
        """Give a slate in which an encoder has a say its place in the ring: what was there is gone."""
        slate.place = self.user.rung % RING
        self.user.rung += 1
        self.draft.remove(ring_key(self.name, slate.place))

    def kept(self, slate: OpenSlate) -> Kept | None:
        """The slate as it came; None where no encoder had a say in it, or newer ones have taken its place."""
        found = self.draft.find(ring_key(self.name, slate.place), Kept) if slate.encoder else None
        return found if found is not None and found.decision_id == slate.decision_id else None

    def forget(self) -> None:
        """Remove all slates of the ring."""
        for place in self._places:
            self.draft.remove(ring_key(self.name, place))

    def evidence(self, encoder: Encoder, others: Iterable[Encoder]) -> dict[str, Evidence]:
        """What is known of the user by the encoder's name in whose space it is; it is kept in that of the first."""
        self.see_by(encoder)
        found = {encoder.name: copy(self.user.evidence)}
        for other in others:
            if other.name not in found:
                found[other.name] = self._under(other)
        return found

    def see_by(self, encoder: Encoder) -> None:
        """Have what is known of the user in the space of this encoder."""
        if self.user.evidence.encoder not in {encoder.name, ""}:
            self.user.evidence = self._under(encoder)
        self.user.evidence.encoder = encoder.name

    def features(self, slate: OpenSlate, encoder: Encoder) -> Floats:
        """The features of what was chosen [slots, d], as this encoder sees the user's history."""
        phi = read(slate.contexts, len(slate.items))
        if slate.encoder in {encoder.name, ""}:
            return phi
        kept = self.kept(slate)
        if kept is not None:
            return kept.features(encoder)
        phi[:, ENCODED] = 0.0  # it can't be told any more, and says nothing
        return phi

    def _under(self, encoder: Encoder) -> Evidence:
        ring = (self.draft.find(ring_key(self.name, place), Kept) for place in self._places)
        return under(self.user.evidence, encoder, filter(None, ring), memory_ms=MEMORY_MS)

    @property
    def _places(self) -> range:
        return range(min(RING, self.user.rung))


def ring_key(user_id: str, place: int) -> str:
    """Where a slate of a user's ring is kept as it came."""
    return f"ring/{place}/{user_id}"
