"""A logged slate as numbers: what it was chosen from, parsed as fast as the log is written."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from infra.judging.logged import Decided
from policies.attention.scene import Scene, read
from policies.slates.evidence import Evidence
from policies.slates.recommend import EARLIER, FEATURES, SCALE, query
from policies.slates.slate import BLOCK, MAX_CANDIDATES, Query, slots_of

_WIDTHS: Final = {len(FEATURES), *EARLIER}
_NAMES: Final = list(FEATURES)
_BRACKETS: Final = b"[]"


class CannotError(ValueError):
    """Why a logged slate can't be made again. `why` is from a closed set."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Belief(msgspec.Struct, gc=False):
    precision_upper: list[float] = []
    shift: list[float] = []


class _Features(msgspec.Struct, gc=False):
    names: list[str]
    unit: int
    phi: msgspec.Raw
    belief: _Belief
    withheld: list[str] = []
    history: dict[str, str] | None = None


_DECODER: Final = msgspec.json.Decoder(_Features)


@dataclass(frozen=True, slots=True)
class Case:
    """A slate as it was logged: what was asked, and the places of what was chosen among the candidates.

    `scene` is what the encoder of that name was given; None where it had no say, or the log is of before it was told.
    """

    told: Decided
    query: Query
    chosen: list[int]
    scene: Scene | None
    encoder: str

    @classmethod
    def of(cls, told: Decided) -> "Case":
        """Raises CannotError."""
        try:
            features = _DECODER.decode(told.features)
            seed, size = int(told.seed), int(told.action["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise CannotError("features-missing") from error
        width = len(features.names)
        if width not in _WIDTHS or features.names != _NAMES[:width] or features.unit != SCALE:
            raise CannotError("features-of-another-version")
        count = len(told.candidates)
        # A hundred rows of small numbers: as a flat text it takes half as long as a list of lists.
        phi = np.fromstring(bytes(features.phi).translate(None, _BRACKETS).decode(), dtype=np.int64, sep=",")
        if phi.size != count * width or count > MAX_CANDIDATES or not 0 <= seed < 1 << 64 or size < 1:
            raise CannotError("features-disagree")
        place = {name: at for at, name in enumerate(told.candidates)}
        belief = features.belief
        evidence = Evidence(upper=np.array(belief.precision_upper).tobytes(), shift=np.array(belief.shift).tobytes())
        try:
            asked = query(phi.reshape(count, width), evidence, seed, size)
            scene = _scene(features, count)
        except (IndexError, ValueError) as error:
            raise CannotError("features-disagree") from error
        encoder = (features.history or {}).get("encoder", "")
        return cls(told, asked, [place[name] for name in told.chosen], scene, encoder)


def _scene(features: _Features, count: int) -> Scene | None:
    """Of the candidates: what was kept back has none of their places. Raises ValueError."""
    if features.history is None:
        return None
    return read(features.history, count + len(features.withheld)).at(range(count))


def blocks(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """The cases in blocks that are worked out at once: of as many slots worked out and filled, and as many features."""
    by: dict[tuple[int, int, int], list[Case]] = defaultdict(list)
    for case in cases:
        by[slots_of(case.query), len(case.chosen), case.query.phi.shape[1]].append(case)
    for same in by.values():
        for start in range(0, len(same), BLOCK):
            yield same[start : start + BLOCK]
