"""Where an input goes on: the state says so, and the log must still be able to follow."""

import logging

from infra.cluster.clients import Partition
from infra.errors import UserError
from infra.serving.transport import Span

log = logging.getLogger(__name__)


def start_of(where: Partition, applied: int | None, span: Span) -> int:
    """The first offset to read: after what is in the state, else what the group committed, else the first there is.

    Raises UserError where the log ends before what was applied: then it is another log.
    """
    if applied is None:
        return max(span.first, span.committed or 0)
    if applied + 1 > span.end:
        raise UserError(
            f"topic {where.topic}, partition {where.partition} ends at offset {span.end}, but {applied + 1} records of "
            "it were handled already: it was deleted and made anew. Set TRADEWIND_APPLICATION_ID to a new name to "
            "start afresh"
        )
    if applied + 1 < span.first:
        log.error(
            "topic %s partition %d: offsets %d to %d were deleted by the topic's retention before they were handled",
            where.topic,
            where.partition,
            applied + 1,
            span.first - 1,
        )
    return max(span.first, applied + 1)
