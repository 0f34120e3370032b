"""What a person is told when the brokers refuse this user something: which right is missing, and on what."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from infra.errors import UserError

_REFUSALS: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    ClusterAuthorizationFailedError,
)


@contextmanager
def told(
    *, topics: Iterable[str] = (), operation: str = "READ", group: str = "", transactional_id: str = ""
) -> Generator[None]:
    """Turn a refusal inside the block into a UserError; `operation` is what is done there with the topics."""
    try:
        yield
    except _REFUSALS as error:
        missing = _missing(error, sorted(topics), operation, group, transactional_id)
        raise UserError(f"the brokers refuse this user: grant it {missing}") from error


def _missing(error: KafkaError, topics: list[str], operation: str, group: str, transactional_id: str) -> str:
    if isinstance(error, TopicAuthorizationFailedError):
        return f"{operation} on topic {', '.join(_named(error) or topics)}"
    if isinstance(error, GroupAuthorizationFailedError):
        return f"READ on group {group}"
    if isinstance(error, TransactionalIdAuthorizationFailed):
        return f"WRITE and DESCRIBE on transactional id {transactional_id}"
    return "IDEMPOTENT_WRITE on the cluster"


def _named(error: Any) -> list[str]:
    """The topics that the error itself names: as text, or as a collection of it."""
    named = error.args[0] if error.args else ()
    return [named] if isinstance(named, str) and named else sorted(map(str, named or ()))
