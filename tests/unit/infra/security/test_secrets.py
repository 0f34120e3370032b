"""A secret of the settings is shown nowhere: not by the settings themselves, not by what is wrong with them."""

import logging
import pickle
import re
from types import UnionType
from typing import Any, Union, get_args, get_origin

import orjson
import pytest
from pydantic import SecretStr, ValidationError

from infra.doctor import examine
from infra.errors import UserError
from infra.logs import Discreet, secrets_of
from infra.settings import Settings, load

SECRET = "hunter2-hunter2-hunter2"  # noqa: S105 # of nothing
# Files, addresses and numbers that only have to do with a secret.
PUBLIC = {"ssl_keyfile", "oauth_token_file", "oauth_token_url"}
SAYS_SO = re.compile(r"password|token|secret|_key$|credential")


def is_secret(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(is_secret(one) for one in get_args(annotation))
    return annotation is SecretStr


FIELDS = sorted(name for name, field in Settings.model_fields.items() if is_secret(field.annotation))


@pytest.fixture
def settings() -> Settings:
    return load(**dict.fromkeys(FIELDS, SECRET))


def test_every_field_whose_name_says_so_is_a_secret() -> None:
    named = {name for name in Settings.model_fields if SAYS_SO.search(name)} - PUBLIC
    assert named == set(FIELDS)
    assert {"sasl_password", "ssl_password", "oauth_client_secret", "dashboard_token", "user_key"} <= named


def test_the_settings_do_not_show_them(settings: Settings) -> None:
    shown = [repr(settings), str(settings), f"{settings}", settings.model_dump_json(), str(settings.model_dump())]
    shown += [repr(getattr(settings, name)) for name in FIELDS]
    assert not [text for text in shown if SECRET in text]
    with pytest.raises(TypeError):
        orjson.dumps(settings.model_dump())  # nobody writes them out by accident
    assert set(secrets_of(settings)) == {SECRET}
    record = logging.LogRecord("x", logging.INFO, "x", 1, "with %s", (SECRET,), None)
    assert SECRET not in Discreet(logging.Formatter("%(message)s"), secrets_of(settings)).format(record)


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_wrong_with_one_is_told_without_it(name: str) -> None:
    with pytest.raises(UserError) as told:
        load(**{name: [SECRET]})
    assert SECRET not in str(told.value)
    cause = told.value.__cause__
    assert isinstance(cause, ValidationError)
    assert SECRET not in str(cause)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    for name in ("schema_registry_url", "otlp_endpoint", "oauth_token_url"):
        with pytest.raises(UserError) as told:
            load(**{name: f"https://user:{SECRET}@host/path"})
        assert SECRET not in str(told.value)
        assert SECRET not in str(told.value.__cause__)


def test_a_short_key_of_users_is_refused() -> None:
    with pytest.raises(UserError, match=r"^TRADEWIND_USER_KEY has fewer than 16 characters") as told:
        load(user_key="hunter2")
    assert "hunter2" not in str(told.value)


def test_the_doctor_does_not_show_them() -> None:
    given = dict.fromkeys(FIELDS, SECRET) | {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u"}
    findings = list(examine(bootstrap_servers="127.0.0.1:9", start_timeout_s=0.2, **given))
    assert [one.check for one in findings][:4] == ["python", "disk", "settings", "broker"]
    assert SECRET not in str(findings)


def test_settings_are_not_even_pickled_with_them_in_the_clear(settings: Settings) -> None:
    assert SECRET.encode() in pickle.dumps(settings)  # so they must never be sent: parts of a history don't hold them
    from infra.history.part import LogPart

    assert not [name for name in LogPart.__struct_fields__ if SAYS_SO.search(name)]
