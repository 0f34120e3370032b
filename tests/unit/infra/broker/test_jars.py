"""The jars' lock, and what is done with a file that isn't what the lock says."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from infra.broker import jars
from infra.errors import UserError


def test_the_lock_names_the_version_that_is_announced() -> None:
    kafka = [jar for jar in jars.read_lock() if jar.artifact == "kafka_2.13"]
    assert [jar.version for jar in kafka] == [jars.KAFKA_VERSION]


def test_every_jar_of_the_lock_has_a_digest_and_a_name_of_its_own() -> None:
    lock = jars.read_lock()
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in lock)
    assert len({jar.filename for jar in lock}) == len(lock)


def test_the_cache_is_where_the_setting_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADEWIND_CACHE", str(tmp_path))
    assert jars.cache_dir() == tmp_path


def test_a_jar_is_kept_only_if_it_is_the_one_of_the_lock(tmp_path: Path) -> None:
    arrived = tmp_path / "arrived.jar"
    arrived.write_bytes(b"bytes")
    jar = replace(jars.read_lock()[0], sha256=sha256(b"bytes").hexdigest())
    (tmp_path / "kept").mkdir()
    with pytest.raises(UserError, match=r"arrived with sha256 .* not used"):
        jars.keep(replace(jar, sha256="0" * 64), arrived, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []
    jars.keep(jar, arrived, tmp_path / "kept")
    assert (tmp_path / "kept" / jar.filename).read_bytes() == b"bytes"
