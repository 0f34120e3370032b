"""Value won in second-price auctions under a budget, as a share of the hindsight optimum.

One auction after the other: a policy sees the value, bids, and hears what it paid, or only that it lost. It is told the
budget and, as the length of the flight, how many auctions there will be; nothing of what is to come. `oracle-prior`
alone is told the market: what is spent at each value for money, over the whole file.
"""

import gzip
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress

from infra.errors import UserError
from policies.artefact import ArtefactError
from policies.baselines.dual_pacing import Additive, BidTheValue, Multiplicative
from policies.bidding.flight import Bidder, FlightBidder
from policies.bidding.markets import FLAT, shipped
from policies.bidding.spending import market_curve
from policies.tasks.auctions import Account, Auctions, hindsight, log_multiplier

POLICIES: Final = (
    "meta",
    "flat-prior",
    "oracle-prior",
    "none",
    "dual-pacing-cold",
    "dual-pacing-warm",
    "mirror-pacing-cold",
    "mirror-pacing-warm",
)
LARGEST: Final = 1e100  # of a value, a price or a budget
AT_ONCE: Final = 5_000  # auctions between two looks at the progress bar


class _Line(msgspec.Struct):
    value: float
    price: float


_DECODER: Final = msgspec.json.Decoder(_Line)


def evaluate(*, policy: str, seed: int, auctions: Path, budget: float) -> dict[str, Any]:
    """What one flight through all auctions of the file comes to. Nothing here is random: `seed` changes nothing."""
    del seed
    if not isfinite(budget) or not 0.0 <= budget <= LARGEST:
        raise UserError(f"--budget {budget}: must be a number from 0 to {LARGEST:g}")
    given = _read(auctions, budget)
    account = Account(budget)
    if budget > 0.0:
        _fly(account, bidder(policy, given), given)
    else:
        account.fly(BidTheValue(), given.value, given.price)  # what is free is won by any bid
    best = hindsight(given)
    return {
        "value_won": account.won,
        "spend": account.spent,
        "hindsight_share": account.won / best if best > 0.0 else 1.0,
        "overspend": max(0.0, account.spent - budget),
        "auctions": len(given.value),
        "auctions_won": account.wins,
        "hindsight_value": best,
        "budget": budget,
    }


def bidder(policy: str, given: Auctions) -> Bidder:
    """The policy of that name, before the first auction. Raises UserError if what ships is damaged."""
    length, budget = len(given.value), given.budget

    def ours() -> Bidder:
        try:
            return FlightBidder(auctions=length, budget=budget, prior=shipped())
        except (ArtefactError, KeyError, ValueError) as error:
            raise UserError(f"the prior that ships with the package can't be read: {error}") from error

    def told() -> Bidder:
        truth = market_curve(given.value, given.price * (length / budget))
        return FlightBidder(auctions=length, budget=budget, prior=FLAT, truth=truth)

    makes: dict[str, Callable[[], Bidder]] = {
        "meta": ours,
        "flat-prior": lambda: FlightBidder(auctions=length, budget=budget, prior=FLAT),
        "oracle-prior": told,
        "none": BidTheValue,
        "dual-pacing-cold": lambda: Additive(auctions=length, budget=budget),
        "dual-pacing-warm": lambda: Additive.at(log_multiplier(given), auctions=length, budget=budget),
        "mirror-pacing-cold": lambda: Multiplicative(auctions=length, budget=budget),
        "mirror-pacing-warm": lambda: Multiplicative(auctions=length, budget=budget, log_mu=log_multiplier(given)),
    }
    return makes[policy]()


def _fly(account: Account, bidder: Bidder, given: Auctions) -> None:
    length = len(given.value)
    with Progress(console=Console(stderr=True), transient=True, disable=length < 10 * AT_ONCE) as progress:
        task = progress.add_task("auctions", total=length)
        for start in range(0, length, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            account.fly(bidder, given.value[part], given.price[part])
            progress.advance(task, AT_ONCE)


def _read(path: Path, budget: float) -> Auctions:
    found: list[tuple[float, float]] = []
    try:
        with _opened(path) as file:
            found.extend(_lines(path, file))
    except (OSError, EOFError) as error:
        said = getattr(error, "strerror", None) or error
        raise UserError(f"--auctions {path}: {said}") from error
    if not found:
        raise UserError(f"--auctions {path}: there are no auctions in it")
    value, price = (np.array(each, dtype=np.float64) for each in zip(*found, strict=True))
    return Auctions(value=value, price=price, budget=budget)


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _lines(path: Path, file: IO[bytes]) -> Iterator[tuple[float, float]]:
    for number, raw in enumerate(file, start=1):
        line = raw.removeprefix(b"\xef\xbb\xbf").strip()
        if not line:
            continue
        try:
            told = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UserError(f"--auctions {path}, line {number}: {error}") from error
        if not (0.0 <= told.value <= LARGEST and 0.0 <= told.price <= LARGEST):
            what = "value" if not 0.0 <= told.value <= LARGEST else "price"
            raise UserError(f"--auctions {path}, line {number}: the {what} must be from 0 to {LARGEST:g}")
        yield told.value, told.price
