"""Lines that a program can read, and that tell no secret."""

import json
import logging

import pytest

from infra import logs
from infra.settings import load

SECRET = 'pa"ss\\wörd'  # noqa: S105 # made up


def record(message: str, *arguments: object, error: Exception | None = None) -> logging.LogRecord:
    given = None if error is None else (type(error), error, None)
    return logging.LogRecord("infra.serving.worker", logging.WARNING, "", 0, message, arguments, given)


def test_a_json_line_has_the_keys_that_stay() -> None:
    said = json.loads(logs.AsJson().format(record("%d of %s", 3, "ü")))
    assert list(said) == ["time", "level", "logger", "message"]
    assert (said["level"], said["logger"], said["message"]) == ("WARNING", "infra.serving.worker", "3 of ü")
    assert said["time"].endswith("+00:00")


def test_an_error_brings_its_traceback_on_the_same_line() -> None:
    line = logs.AsJson().format(record("it failed", error=ValueError("broken")))
    assert "\n" not in line
    assert json.loads(line)["error"].endswith("ValueError: broken")


@pytest.mark.parametrize("inner", [logs.AsJson(), logging.Formatter("%(message)s")])
def test_a_secret_is_blotted_out_however_it_is_written(inner: logging.Formatter) -> None:
    discreet = logs.Discreet(inner, [SECRET, ""])
    for message in (SECRET, repr({"sasl_password": SECRET}), json.dumps(SECRET, ensure_ascii=False)):
        line = discreet.format(record("logging in: %s", message))
        assert "wörd" not in line
        assert "logging in" in line


def test_a_traceback_is_blotted_out_too() -> None:
    discreet = logs.Discreet(logging.Formatter("%(message)s"), [SECRET])
    line = discreet.format(record("failed", error=ValueError(SECRET)))
    assert "ValueError" in line
    assert SECRET not in line


def test_every_secret_of_the_settings_is_known_and_in_no_repr() -> None:
    secrets = {
        "sasl_password": "sesame-1",
        "schema_registry_password": "sesame-2",
        "dashboard_token": "sesame-3-long-enough",
    }
    settings = load(**secrets)
    assert set(secrets.values()) <= set(logs.secrets_of(settings))
    assert "sesame" not in repr(settings) + str(settings) + settings.model_dump_json()
