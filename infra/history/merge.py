"""Streams that are each in their own order, as one in the order of their clocks. No client, no file."""

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from typing import TypeVar

One = TypeVar("One")


def merged(streams: Sequence[Iterator[One]], time: Callable[[One], int]) -> Iterator[tuple[int, One]]:
    """What the streams hold, each with its stream's number, by the greatest time seen in that stream so far.

    At the same time the lower number goes first. An item older than its stream's clock follows at once: the one before
    it came because no other stream was further behind. So no clock is kept, and going on later from the same places
    gives what would have followed. One item a stream is held, and the next is taken when it is needed.

    >>> list(merged([iter([1, 5, 2]), iter([3, 4])], lambda one: one))
    [(0, 1), (1, 3), (1, 4), (0, 5), (0, 2)]
    """
    heads: list[tuple[int, int, One]] = []
    for number, stream in enumerate(streams):
        for one in stream:
            heads.append((time(one), number, one))
            break
    heapify(heads)
    while heads:
        _, number, one = heads[0]
        yield number, one
        for following in streams[number]:
            heapreplace(heads, (time(following), number, following))
            break
        else:
            heappop(heads)
