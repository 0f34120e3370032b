"""What an encoder is given of a user and some items, before any encoder has touched it: to encode, to keep, to log."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from policies.attention.encoder import HISTORY, SEGMENTS, History, Tokens, lifts
from policies.attention.prior import Encoder
from policies.linalg import Floats

WIDTH: Final = sum(SEGMENTS) + 1  # of a token
Ints = npt.NDArray[np.int64]


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """A scene as raw little-endian numbers: tokens and kinds int8, places int16, ages and worths float32."""

    past: bytes
    ages: bytes
    kinds: bytes
    places: bytes
    items: bytes
    worth: bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """A user's `past`, and the items in question that have a say: those never bought by that user.

    Of C items the `places` [A] of those, their tokens [A, 32], and `worth` [A], what an item's share of purchases is
    worth to this user: a lift l makes worth·(eˡ − 1) of it. Ages and worths are float32, as they are kept.
    """

    past: History
    places: Ints
    items: Tokens
    worth: Floats
    count: int  # C

    @classmethod
    def of(cls, past: History, places: Ints, items: Tokens, worth: Floats, count: int) -> "Scene":
        ages = past.ages.astype(np.float32).astype(np.float64)
        kept = worth.astype(np.float32).astype(np.float64)
        return cls(History(past.tokens, ages, past.kinds), places, items, kept, count)

    def at(self, places: Sequence[int]) -> "Scene":
        """The same with these items only, in this order: [n] places among the C."""
        where = {place: row for row, place in enumerate(self.places.tolist())}
        known = [(new, where[old]) for new, old in enumerate(places) if old in where]
        rows = np.array([row for _, row in known], dtype=np.int64)
        return Scene(
            self.past,
            np.array([new for new, _ in known], dtype=np.int64),
            self.items[rows],
            self.worth[rows],
            len(places),
        )

    def pack(self) -> Packed:
        return Packed(
            self.past.tokens.astype(np.int8).tobytes(),
            self.past.ages.astype("<f4").tobytes(),
            self.past.kinds.astype(np.int8).tobytes(),
            self.places.astype("<i2").tobytes(),
            self.items.astype(np.int8).tobytes(),
            self.worth.astype("<f4").tobytes(),
        )

    @classmethod
    def unpack(cls, raw: Packed, count: int) -> "Scene":
        """Raises ValueError."""
        past = History(
            np.frombuffer(raw.past, dtype=np.int8).reshape(-1, WIDTH).astype(np.float32),
            np.frombuffer(raw.ages, dtype="<f4").astype(np.float64),
            np.frombuffer(raw.kinds, dtype=np.int8).astype(np.int64),
        )
        places = np.frombuffer(raw.places, dtype="<i2").astype(np.int64)
        items = np.frombuffer(raw.items, dtype=np.int8).reshape(-1, WIDTH).astype(np.float32)
        worth = np.frombuffer(raw.worth, dtype="<f4").astype(np.float64)
        if not (len(past.tokens) == len(past.ages) == len(past.kinds) <= HISTORY):
            raise ValueError("the history's tokens, ages and kinds disagree")
        if not (len(places) == len(items) == len(worth)) or not ((places >= 0) & (places < count)).all():
            raise ValueError("the items' places, tokens and worths disagree")
        return cls(past, places, items, worth, count)

    def logged(self) -> dict[str, Any]:
        """Plain data for the decision log."""
        raw = self.pack()
        return {name: b64encode(getattr(raw, name)).decode() for name in Packed.__struct_fields__}


def read(logged: dict[str, str], count: int) -> Scene:
    """The scene that was logged, of `count` items. Raises ValueError."""
    if not set(Packed.__struct_fields__) <= logged.keys():
        raise ValueError("a part of the history is missing")
    return Scene.unpack(Packed(*(b64decode(logged[name], validate=True) for name in Packed.__struct_fields__)), count)


def encoded(encoder: Encoder, scenes: Sequence[Scene]) -> Iterator[Floats]:
    """What each scene's items gain or lose by being like the user's past, [C] each; 0 of those that have no say."""
    lift = lifts(encoder.weights, [one.past for one in scenes], [one.items for one in scenes]).astype(np.float64)
    end = 0
    for one in scenes:
        begin, end = end, end + len(one.places)
        found = np.zeros(one.count)
        found[one.places] = one.worth * np.expm1(lift[begin:end])
        yield found
