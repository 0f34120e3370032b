"""The state says where an input goes on; a log that can't follow is refused or told."""

import pytest

from infra.cluster.clients import Partition
from infra.errors import UserError
from infra.serving.positions import start_of
from infra.serving.transport import Span

ORDERS_0 = Partition("orders", 0)


@pytest.mark.parametrize(
    ("applied", "span", "start"),
    [
        (None, Span(0, 10, None), 0),
        (None, Span(3, 10, None), 3),
        (None, Span(0, 10, 7), 7),
        (4, Span(0, 10, None), 5),
        (4, Span(0, 10, 9), 5),  # what is committed doesn't count: the state does
        (9, Span(0, 10, 10), 10),
        (4, Span(8, 10, 5), 8),
    ],
)
def test_the_start_is_after_what_is_in_the_state(applied: int | None, span: Span, start: int) -> None:
    assert start_of(ORDERS_0, applied, span) == start


def test_a_log_shorter_than_what_was_applied_is_another_log() -> None:
    with pytest.raises(UserError, match=r"topic orders, partition 0 ends at offset 3, but 10 records"):
        start_of(ORDERS_0, 9, Span(0, 3, None))


def test_what_retention_took_is_told(caplog: pytest.LogCaptureFixture) -> None:
    start_of(ORDERS_0, 4, Span(8, 10, 5))
    assert "offsets 5 to 7 were deleted" in caplog.text
