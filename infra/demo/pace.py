"""When the storefront may do what: event time by the wall clock, slates that are waited for, and what comes next.

No topics; the wall clock is handed in, in seconds.
"""

import itertools
import sys
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from infra.demo.journey import Journey
from infra.demo.till import Slate


@dataclass(slots=True)
class Pace:
    """Event time at a speed-up. Time lost by waiting is caught up by at most `slack_s`; the rest is gone."""

    start: int  # epoch ms
    speed: float  # event ms a second of wall clock
    began: float  # wall clock, seconds
    slack_s: float = 1.0

    def allowed(self, wall: float, next_at: int) -> int:
        """Up to which event time to play. `next_at` is the earliest that was not played yet."""
        allowed = self.start + (wall - self.began) * self.speed
        too_far = allowed - next_at - self.slack_s * self.speed
        if too_far > 0:
            self.began += too_far / self.speed
            allowed -= too_far
        return int(allowed)


@dataclass(slots=True)
class Asked:
    """A basket whose slate was asked for at `wall`."""

    wall: float
    slate: Slate | None = None


@dataclass(slots=True)
class Script:
    """The order of play: slates are asked for by their time, baskets are rung up by theirs.

    A basket waits for its slate, and for every basket before it, so that orders keep the order of time; requests run
    ahead by at most `most_open` baskets. A household asks again only when its last basket is done: the request is put
    off until then, and other households' baskets overtake that one.
    """

    journey: Journey
    most_open: int
    rung_up_to: int = 0  # the greatest event time of a basket done
    _requests: deque[int] = field(init=False)
    _baskets: deque[int] = field(init=False)
    _put_off: list[int] = field(default_factory=list[int])  # requests that are due, of households that are busy
    _overtaken: list[int] = field(default_factory=list[int])  # baskets that are due, whose requests were put off
    _late: set[int] = field(default_factory=set[int])  # baskets that may be overtaken
    _open: dict[int, Asked] = field(default_factory=dict[int, Asked])
    _busy: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        self._requests = deque(np.argsort(self.journey.asked_at, kind="stable").tolist())
        self._baskets = deque(np.argsort(self.journey.at, kind="stable").tolist())

    @property
    def done(self) -> bool:
        return not self._baskets and not self._overtaken

    def next_at(self) -> int:
        """The event time of what comes next; far away at the end."""
        heads = [*self._overtaken, *itertools.islice(self._baskets, 1)]
        return min((int(self.journey.at[basket]) for basket in heads), default=sys.maxsize)

    def next_request_at(self) -> int:
        """When the next slate is to be asked for; far away where none is left."""
        heads = [*self._put_off, *itertools.islice(self._requests, 1)]
        return min((int(self.journey.asked_at[basket]) for basket in heads), default=sys.maxsize)

    def next_request(self, allowed: int, wall: float) -> int | None:
        """The next basket to ask a slate for, None where it is too early or too many wait. It counts as asked."""
        for place, basket in enumerate(self._put_off):
            if not self._is_busy(basket) and self._has_room(basket):
                del self._put_off[place]
                return self._ask(basket, wall)
        while self._requests and self.journey.asked_at[self._requests[0]] <= allowed:
            if not self._has_room(self._requests[0]):
                return None
            basket = self._requests.popleft()
            if not self._is_busy(basket):
                return self._ask(basket, wall)
            self._put_off.append(basket)
            self._late.add(basket)
        return None

    def _is_busy(self, basket: int) -> bool:
        return int(self.journey.household[basket]) in self._busy

    def _has_room(self, basket: int) -> bool:
        """What precedes the next basket always has: that basket could wait for this very slate."""
        if len(self._open) + len(self._put_off) < self.most_open or not self._baskets:
            return True
        return bool(self.journey.asked_at[basket] <= self.journey.at[self._baskets[0]])

    def _ask(self, basket: int, wall: float) -> int:
        self._open[basket] = Asked(wall)
        self._busy.add(int(self.journey.household[basket]))
        return basket

    def answer(self, basket: int, slate: Slate) -> Asked | None:
        """A slate has come. None where nobody waits for it any more, or it came before."""
        asked = self._open.get(basket)
        if asked is None or asked.slate is not None:
            return None
        asked.slate = slate
        return asked

    def next_basket(self, allowed: int, wall: float, patience_s: float) -> tuple[int, Asked] | None:
        """The next basket that is due and has its slate, or waited long enough for it. It counts as done."""
        for place, basket in enumerate(self._overtaken):
            if self._is_ready(basket, wall, patience_s):
                del self._overtaken[place]
                return self._ring_up(basket)
        while self._baskets and self.journey.at[self._baskets[0]] <= allowed:
            if self._is_ready(self._baskets[0], wall, patience_s):
                return self._ring_up(self._baskets.popleft())
            if self._baskets[0] not in self._late:
                return None
            self._overtaken.append(self._baskets.popleft())
        return None

    def _is_ready(self, basket: int, wall: float, patience_s: float) -> bool:
        asked = self._open.get(basket)
        return asked is not None and (asked.slate is not None or wall - asked.wall >= patience_s)

    def _ring_up(self, basket: int) -> tuple[int, Asked]:
        self.rung_up_to = max(self.rung_up_to, int(self.journey.at[basket]))
        self._late.discard(basket)
        self._busy.discard(int(self.journey.household[basket]))
        return basket, self._open.pop(basket)
