"""A wrong setting is told by its name, with what is allowed; never by a traceback."""

from pathlib import Path

import pytest

from infra import settings
from infra.errors import UserError


def test_the_environment_comes_before_the_file_and_the_call_before_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "tradewind.toml"
    file.write_text('partitions = 7\nprefix = "eu."\napplication_id = "file"\n')
    monkeypatch.setenv("TRADEWIND_CONFIG", str(file))
    monkeypatch.setenv("TRADEWIND_PREFIX", "us.")
    monkeypatch.setenv("TRADEWIND_APPLICATION_ID", "environment")
    loaded = settings.load(application_id="call", partitions=None)
    assert (loaded.partitions, loaded.prefix, loaded.application_id) == (7, "us.", "call")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PARTITIONS", "0", "greater than or equal to 1"),
        ("PARTITIONS", "many", "valid integer"),
        ("BOOTSTRAP_SERVERS", "localhost", "'localhost' is not host:port"),
        ("BOOTSTRAP_SERVERS", "a:1,b:99999", "'b:99999' is not host:port"),
        ("SECURITY_PROTOCOL", "TLS", "'PLAINTEXT', 'SSL'"),
        ("PREFIX", "a b", "match pattern"),
        ("REVIEW_HOURS", "0", "greater than 0"),
    ],
)
def test_a_wrong_value_names_the_setting_the_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"TRADEWIND_{name}", value)
    with pytest.raises(UserError) as told:
        settings.load()
    text = str(told.value)
    assert text.startswith(f"TRADEWIND_{name} is {value!r}:")
    assert said in text
    assert "\n" not in text


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_PARTITIONS", "0")
    monkeypatch.setenv("TRADEWIND_SESSION_TIMEOUT_S", "soon")
    with pytest.raises(UserError, match=r"TRADEWIND_PARTITIONS.*; TRADEWIND_SESSION_TIMEOUT_S"):
        settings.load()


@pytest.mark.parametrize(
    ("content", "said"),
    [("parttions = 4", "there is no setting 'parttions'"), ("partitions = = 4", "is not valid TOML")],
)
def test_a_wrong_file_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "my.toml"
    file.write_text(content)
    monkeypatch.setenv("TRADEWIND_CONFIG", str(file))
    with pytest.raises(UserError) as told:
        settings.load()
    assert said in str(told.value)
    assert "my.toml" in str(told.value)


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_CONFIG", "/nowhere/at-all.toml")
    with pytest.raises(UserError, match=r"TRADEWIND_CONFIG names '/nowhere/at-all\.toml'"):
        settings.load()


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_SASL_PASSWORD", "sesame")
    assert "sesame" not in repr(settings.load())


def test_experiments_come_from_tables_or_from_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "tradewind.toml"
    file.write_text(
        '[[experiments]]\nname = "warm"\ndomain = "bidding"\narms = { control = 0.9, v7 = 0.1 }\nshadow = [8]\n'
    )
    monkeypatch.setenv("TRADEWIND_CONFIG", str(file))
    (told,) = settings.load().experiments
    assert (told.name, told.domain, told.shares, told.shadows) == ("warm", "bidding", {"control": 0.9, "v7": 0.1}, (8,))
    monkeypatch.setenv("TRADEWIND_EXPERIMENTS", '[{"name": "cold", "domain": "bidding", "arms": {"v2": 1}}]')
    assert [one.name for one in settings.load().experiments] == ["cold"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[", "it is not JSON"),
        ('{"name": "warm"}', "experiments must be a list of tables"),
        ('[{"name": "warm", "domain": "shop", "arms": {"v7": 0.1}}]', "there is no domain 'shop': use one of"),
        ('[{"name": "warm", "domain": "bidding", "arms": {"v7": 0.7, "v8": 0.7}}]', "add up to 1.4"),
    ],
)
def test_experiments_that_cannot_run_are_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    monkeypatch.setenv("TRADEWIND_EXPERIMENTS", given)
    with pytest.raises(UserError, match=f"TRADEWIND_EXPERIMENTS is .*{said}"):
        settings.load()
