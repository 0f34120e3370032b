"""How many auctions run before an adjustment takes effect, and the highest bid that no number of them can make unsafe.

The budget left after auction j is R(j) ≥ R(j−1) − c, where the cap c was published when at most L auctions fewer had
been seen. With c ≤ R/(k·L) at each publication this is the delay equation R(j) = R(j−1) − R(j−L)/(k·L), which never
crosses zero if k ≥ (L/(L−1))^(L−1), below e for every L (Győri & Ladas 1991, theorem 7.2.1). Counts only, no clock.
"""

from typing import Final

import msgspec

FLOOR: Final = 2.0
MARGIN: Final = 1.25  # on the longest lag of late
FADE: Final = 0.85  # of the prior, with every lag that was measured
RECENT: Final = 32
KNOWN: Final = 32
OUTAGE_MS: Final = 15_000  # a worker that dies is replaced within this
K_MARGIN: Final = 1.05


class InFlight(msgspec.Struct, array_like=True):
    """Which adjustments the bidder has been seen to follow, and after how many auctions each."""

    prior: float
    seen: int = 0  # auctions
    measured: int = 0
    late: int = 0  # auctions seen since the oldest adjustment that isn't followed yet
    recent: list[int] = []
    pending: list[tuple[str, int]] = []  # adjustments not yet followed: decision id, `seen` when published
    followed: list[tuple[str, int]] = []

    def published(self, decision_id: str) -> None:
        self.pending.append((decision_id, self.seen))
        del self.pending[:-KNOWN]

    def auction(self, echo: str | None) -> None:
        """One auction ran under the adjustment `echo`; None or an unknown id says nothing."""
        place = _place(self.pending, echo)
        if place is not None:
            self._follow(place)
        elif _place(self.followed, echo) is not None:
            self._lag_on(echo)
        self.seen += 1

    def _follow(self, place: int) -> None:
        if self.followed:  # the first one ends no bidding, so that it comes into force at once whatever the lag
            self.recent = [*self.recent, self.seen - self.pending[place][1]][-RECENT:]
            self.measured += 1
        self.late = 0
        self.followed = [*self.followed, self.pending[place]][-KNOWN:]
        del self.pending[: place + 1]

    def _lag_on(self, echo: str | None) -> None:
        if self.pending:
            self.late = max(self.late, self.seen - self.pending[0][1] + 1)
        newest, at = self.followed[-1]
        if echo != newest and self.recent:  # an auction that was overtaken by one under a newer adjustment
            self.recent[-1] = max(self.recent[-1], self.seen - at + 1)

    def bound(self, per_ms: float) -> float:
        """L: no more auctions than this are taken to run before what is published now takes effect."""
        prior = self.prior * FADE**self.measured
        return max(FLOOR, prior, MARGIN * max(self.recent, default=0) + 1.0, self._unfinished, 1.0 + per_ms * OUTAGE_MS)

    @property
    def longest(self) -> int:
        """The longest lag of late, in auctions."""
        return max(self.late, *self.recent, 0)

    @property
    def _unfinished(self) -> float:
        """A lag longer than any before it, and not over yet, is taken to last as long again."""
        return 2.0 * self.late + 1.0 if self.late > max(self.recent, default=0) else 0.0

    def safe_bid(self, remaining: float, per_ms: float) -> float:
        """The highest cap that can't pass the budget.

        >>> round(InFlight(prior=16.0).safe_bid(100.0, 0.0), 3)
        2.261
        """
        bound = self.bound(per_ms)
        k = (bound / (bound - 1.0)) ** (bound - 1.0)
        return max(0.0, remaining) / (K_MARGIN * k * bound)


def _place(among: list[tuple[str, int]], decision_id: str | None) -> int | None:
    return next((i for i, (name, _) in enumerate(among) if name == decision_id), None)
