"""All that is run against a cluster, over every way of logging in, and with exactly the rights it says it needs."""

import asyncio
import gzip
import time
from base64 import urlsafe_b64encode
from collections.abc import Generator
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra import acls, provision
from infra.cli import main
from infra.dashboard.following import Following
from infra.dashboard.model import Model
from infra.dashboard.reader import Follower, stop
from infra.errors import UserError
from infra.mapping.intake import wired
from infra.privacy.pseudonyms import Pseudonyms
from infra.settings import load
from tests.kafka import strict
from tests.kafka.harness import AT, LONG_S, TRADEWIND, Setting, Worker, committed, placed, send, values
from tests.kafka.strict import USERS, Strict

LEARNER = ("-c", "from infra.cli import main; main(['learner'])")
KEY = "of-users-who-live-as-long-as-the-test"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Strict]:
    with strict.strict(tmp_path_factory.mktemp("strict")) as found:
        yield found


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A file with a token as an unsecured JSON Web Token: this broker checks its claims, and no signature."""
    now = time.time()
    claims = {"sub": "bearer", "iat": now - 1, "exp": now + 3600}
    file = tmp_path / "token"
    file.write_text(f"{_part({'alg': 'none'})}.{_part(claims)}.\n")
    return file


def _part(given: dict[str, Any]) -> str:
    return urlsafe_b64encode(orjson.dumps(given)).rstrip(b"=").decode()


def ran(*arguments: str) -> int:
    """A command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def request(number: int) -> tuple[bytes, bytes]:
    event = {"event_id": f"e{number}", "user_id": "u", "type": "request", "occurred_at": AT + number}
    return b"u", orjson.dumps(event)


def last_words(worker: Worker) -> str:
    """What a worker that ends by itself says last."""
    assert worker.process.wait(LONG_S) == 2, worker.errors.read_text()[-2000:]
    return worker.errors.read_text().strip().splitlines()[-1]


@pytest.mark.parametrize("user", USERS)
def test_all_of_it_runs_over_each_way_of_logging_in(
    place: Strict,
    user: str,
    token: Path,
    prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = place.settings(user, token) | {"prefix": prefix, "partitions": "1", "user_key": KEY}
    for name, value in given.items():
        monkeypatch.setenv(f"TRADEWIND_{name.upper()}", value)
    for component in ("topics", "doctor", "worker", "dashboard", "history"):
        strict.grant(place.address, user, acls.rights(load(), component))
    assert ran("topics", "create") == 0
    assert ran("doctor") == 0
    send(place.address, f"{prefix}user-events", [request(0)])
    with placed(place.address, prefix, tmp_path) as setting:
        worker = setting.start("only", TRADEWIND, **given)
        worker.wait_for("ready")
        (slate,) = values(committed(place.address, f"{prefix}recommendations", 1))
        assert worker.stop() == 0
    assert slate["user_id"] == Pseudonyms(KEY).of("u")
    assert asyncio.run(_seen()) == 1
    out = tmp_path / "history.jsonl.gz"
    assert ran("export", "--out", str(out)) == 0
    assert b"recommendations" in gzip.decompress(out.read_bytes())
    capsys.readouterr()
    assert ran("replay", "--events", str(out), "--agents", "recommendation", "--json") == 0
    shown = capsys.readouterr()
    assert orjson.loads(shown.out.splitlines()[-1])["replay"]["logged"]["recommendations"] == 1
    everything = "".join(log.errors.read_text() for log in setting.workers) + shown.out + shown.err
    for secret in (strict.PASSWORD, strict.KEY_PASSWORD, KEY, token.read_text().strip()):
        assert secret not in everything


async def _seen() -> int:
    """How many slates the dashboard's reader finds."""
    model, following = Model(), Following()
    task = asyncio.create_task(Follower(load(), model, following, None).run())
    give_up = time.monotonic() + LONG_S
    while model.totals["recommendations"] < 1 and time.monotonic() < give_up:
        assert following.state != "away", following.told
        await asyncio.sleep(0.1)
    await stop(task)
    return model.totals["recommendations"]


@pytest.mark.parametrize(
    ("user", "wrong", "said"),
    [
        ("scram512", {"sasl_password": "wrong"}, "doesn't let this user in by SCRAM-SHA-512"),
        ("plain", {"sasl_mechanism": "SCRAM-SHA-256"}, "doesn't let this user in by SCRAM-SHA-256"),
        ("bearer", {"oauth_token_file": None, "oauth_token": "a.b.c"}, "doesn't let this user in by OAUTHBEARER"),
        ("scram256", {"ssl_cafile": "stranger"}, "isn't trusted"),
        ("certified", {"ssl_certfile": None, "ssl_keyfile": None}, "TRADEWIND_SSL_CERTFILE"),
        ("certified", {"security_protocol": "PLAINTEXT"}, "TRADEWIND_SECURITY_PROTOCOL"),
        ("certified", {"ssl_password": "wrong"}, "TRADEWIND_SSL_PASSWORD"),
    ],
)
def test_whoever_is_not_let_in_is_told_why(
    place: Strict, token: Path, user: str, wrong: dict[str, str | None], said: str
) -> None:
    given: dict[str, Any] = {**place.settings(user, token), **wrong, "start_timeout_s": 1.0}
    if given.get("ssl_cafile") == "stranger":
        given["ssl_cafile"] = str(place.papers.stranger)
    settings = load(**given)
    with pytest.raises(UserError, match=said) as told:
        provision.check(settings, wired(settings))
    assert strict.PASSWORD not in str(told.value)


@pytest.fixture
def setting(place: Strict, prefix: str, tmp_path: Path) -> Generator[Setting]:
    """Topics that the administrator has made."""
    with placed(place.address, prefix, tmp_path) as found:
        made = load(bootstrap_servers=place.address, prefix=prefix, partitions=1)
        provision.ensure(made, wired(made))
        yield found


def test_a_worker_runs_with_exactly_its_rights_and_names_one_that_is_gone(
    place: Strict, setting: Setting, token: Path
) -> None:
    prefix = setting.prefix
    given = place.settings("plain", token) | {"prefix": prefix, "partitions": "1"}
    needed = acls.rights(load(**given), "worker")
    strict.grant(place.address, "plain", needed)
    worker = setting.start("whole", TRADEWIND, **given)
    worker.wait_for("ready")
    send(place.address, f"{prefix}user-events", [request(0), (b"u", b"no json")])
    assert len(committed(place.address, f"{prefix}recommendations", 1)) == 1
    assert len(committed(place.address, f"{prefix}dead-letters", 1)) == 1
    assert worker.stop() == 0
    for kind, name, operation in (
        ("topic", f"{prefix}user-events", "READ"),
        ("topic", f"{prefix}recommendations", "WRITE"),
        ("topic", f"{prefix}catalog", "DESCRIBE_CONFIGS"),
        ("group", f"{prefix}tradewind", "READ"),
        ("transactional id", f"{prefix}tradewind-recommendation-", "WRITE"),
    ):
        (right,) = [one for one in needed if (one.kind, one.name, one.operation) == (kind, name, operation)]
        strict.withdraw(place.address, "plain", right)
        said = last_words(setting.start("less", TRADEWIND, **given))
        assert said.startswith("tradewind: the brokers refuse this user: grant it "), said
        assert f" on {kind} {name}" in said, said
        strict.grant(place.address, "plain", [right])


def test_so_does_the_learner(place: Strict, setting: Setting, token: Path) -> None:
    prefix = setting.prefix
    given = place.settings("scram256", token) | {"prefix": prefix, "partitions": "1"}
    needed = acls.rights(load(**given), "learner")
    strict.grant(place.address, "scram256", needed)
    learner = setting.start("whole", LEARNER, **given)
    learner.wait_for("ready")
    assert learner.stop() == 0
    (right,) = [one for one in needed if one.name == f"{prefix}experiences" and one.operation == "READ"]
    strict.withdraw(place.address, "scram256", right)
    assert f" on topic {prefix}experiences" in last_words(setting.start("less", LEARNER, **given))


def test_a_request_to_forget_and_a_retry_need_no_more_than_their_rights(
    place: Strict, setting: Setting, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = "scram512"
    given = place.settings(user, token) | {"prefix": setting.prefix, "partitions": "1"}
    for name, value in given.items():
        monkeypatch.setenv(f"TRADEWIND_{name.upper()}", value)
    for component, command in (
        ("forget", ("forget", "u", "--no-wait")),
        ("dead-letters", ("dead-letters", "retry")),
        ("policies", ("policies", "promote", "0", "--reason", "a test")),
        ("policies", ("policies", "list")),
    ):
        needed = acls.rights(load(), component)
        strict.grant(place.address, user, needed)
        assert ran(*command) == 0
        for right in {(one.kind, one.name, one.operation, one.pattern): one for one in needed}.values():
            if component != "policies" or command[1] == "list":
                strict.withdraw(place.address, user, right)


def test_a_user_known_by_a_pseudonym_is_forgotten_by_the_own_id(
    place: Strict, setting: Setting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"bootstrap_servers": place.address, "prefix": setting.prefix, "user_key": KEY}
    for name, value in given.items():
        monkeypatch.setenv(f"TRADEWIND_{name.upper()}", value)
    worker = setting.start("all", ("-c", "from infra.cli import main; main(['worker', '--with-learner'])"), **given)
    worker.wait_for("ready")
    send(place.address, f"{setting.prefix}user-events", [request(0)])
    assert len(committed(place.address, f"{setting.prefix}recommendations", 1)) == 1
    known = Pseudonyms(KEY).of("u")
    state = committed(place.address, f"{setting.prefix}tradewind-recommendation-changelog", 1)
    assert [record.value for record in state if record.key == f"user/{known}".encode()]
    assert not [record for record in state if b"user/u" in record.key]
    assert ran("forget", "u") == 0
    assert f"Forgotten: {known}" in capsys.readouterr().out
    state = committed(place.address, f"{setting.prefix}tradewind-recommendation-changelog", 1)
    assert [record.value for record in state if record.key == f"user/{known}".encode()][-1] is None
