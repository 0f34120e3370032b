"""How a long-running process logs: to standard error, one line an event, the libraries only when something is wrong.

As text for people, or as a JSON object a line whose keys stay: time (RFC 3339, UTC), level, logger, message, and
error (a traceback) where there is one. What the settings keep secret is blotted out of every line, whoever wrote it.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from pydantic import SecretStr

if TYPE_CHECKING:
    from infra.settings import Settings

Style = Literal["text", "json"]
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
_BLOT: Final = "**********"
# Faust's classes log under the name of the module that subclasses them.
_QUIET: Final = ("faust", "mode", "aiokafka", "infra.serving.app", "infra.serving.transport")


def configure(level: str, style: Style = "text", secrets: Iterable[str] = ()) -> None:
    """Send what is logged from `level` up to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(AsJson() if style == "json" else logging.Formatter(_FORMAT), secrets))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_not_a_fresh_broker)
    # kafka-python is only used for provisioning: what goes wrong there is raised, and told in one sentence.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def follow(settings: "Settings") -> None:
    """`configure`, as the settings say."""
    configure(settings.log_level, settings.log_format, secrets_of(settings))


def secrets_of(settings: "Settings") -> list[str]:
    """Every value of the settings that is never to be shown."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


class AsJson(logging.Formatter):
    """A log line as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


class Discreet(logging.Formatter):
    """Another's lines, without the secrets. An empty one is none."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: Sequence[str] = _as_written(secrets)

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, _BLOT)
        return line


def _as_written(secrets: Iterable[str]) -> list[str]:
    """The ways in which a secret may stand in a line, the longest first: plain, or escaped, once or twice."""
    forms = set(filter(None, secrets))
    for _ in range(2):
        forms |= {repr(form)[1:-1] for form in forms} | {json.dumps(form, ensure_ascii=False)[1:-1] for form in forms}
    return sorted(forms, key=len, reverse=True)


def _not_a_fresh_broker(record: logging.LogRecord) -> bool:
    # A broker that has never had a group says this once to the first; the client asks again by itself.
    return "Group Coordinator Request failed" not in record.getMessage()
