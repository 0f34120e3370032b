"""How a long-running process logs: to standard error, one line an event, the libraries only when something is wrong."""

import logging
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
# Faust's classes log under the name of the module that subclasses them.
_QUIET: Final = ("faust", "mode", "aiokafka", "infra.app", "infra.transport")


def configure(level: str) -> None:
    """Send what is logged from `level` up to standard error."""
    logging.basicConfig(level=level, format=_FORMAT)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_not_a_fresh_broker)
    # kafka-python is only used for provisioning: what goes wrong there is raised, and told in one sentence.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def _not_a_fresh_broker(record: logging.LogRecord) -> bool:
    # A broker that has never had a group says this once to the first; the client asks again by itself.
    return "Group Coordinator Request failed" not in record.getMessage()
