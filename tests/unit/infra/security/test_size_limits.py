"""Whatever comes from outside has a largest size, and what is larger is refused in one sentence, never read whole."""

import asyncio
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from infra.commands import asyncapi
from infra.commands import map as mapping_command
from infra.contract.registry import frames
from infra.errors import UserError
from infra.history.files import files
from infra.history.jsonl import LONGEST
from infra.history.message import Rejected
from infra.history.reading import messages
from infra.limited import content
from infra.mapping import load as mapping
from infra.mapping.entrance import Entrance
from infra.mapping.rules import Rules
from infra.privacy.pseudonyms import Pseudonyms
from infra.report import opened
from infra.settings import load
from infra.versions import pretrained
from policies import artefact, version
from streams.codec import MAX_BYTES, MalformedRecord, decode
from streams.topics import RECOMMENDATIONS, TOPICS, USER_EVENTS, Topic

HUGE = 2**40  # bytes that a sparse file claims to have: whoever read them all would not come back


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    file = tmp_path / "huge"
    with file.open("wb") as made:
        os.truncate(made.fileno(), HUGE)
    return file


def artefact_of(path: Path) -> object:
    return pretrained.as_version(path, version.SHIPPED, 1)


def command(*words: str) -> Callable[[Path], object]:
    """A command that is given the file as its last argument, and in whose process the error is raised."""

    def run(path: Path) -> object:
        app, *rest = words
        return {"map": mapping_command.app, "asyncapi": asyncapi.app}[app]([*rest, str(path)], standalone_mode=False)

    return run


def anything(path: Path) -> object:
    return content(path, 100, "this")


READERS: list[Callable[[Path], object]] = [
    anything,
    mapping.load,
    artefact_of,
    opened.opened,
    command("map", "suggest"),
    command("asyncapi", "--against"),
]


@pytest.mark.parametrize("read", READERS)
def test_a_file_is_not_read_beyond_what_it_may_hold(read: Callable[[Path], object], huge: Path) -> None:
    with pytest.raises(UserError, match=r"has over|too large") as told:
        read(huge)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_message_of_any_topic_has_a_largest_size(topic: Topic) -> None:
    with pytest.raises(MalformedRecord, match="oversized"):
        decode(topic, b"k", b" " * (MAX_BYTES + 1), 0)
    with pytest.raises(MalformedRecord, match="oversized"):
        decode(topic, b"k" * (MAX_BYTES + 1), b"{}", 0)


def test_so_has_one_that_is_framed_or_enters_by_another_way() -> None:
    with pytest.raises(MalformedRecord, match="oversized"):
        decode(USER_EVENTS, b"k", b"\0\0\0\0\x01" + b" " * (MAX_BYTES + 1), 0)
    read = Entrance(Rules(), Pseudonyms("of-users-who-live-as-long-as-the-test")).of(USER_EVENTS)
    assert read is not None

    class Raw:
        offset, timestamp, key, value, headers = 0, 0, b"k", b" " * (MAX_BYTES + 1), ()

    with pytest.raises(MalformedRecord, match="oversized"):
        read(0, Raw())


def test_a_line_of_a_history_is_cut_however_small_its_file_is(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl.gz"
    file.write_bytes(gzip.compress(b" " * 3 * LONGEST + b"x\n"))
    assert file.stat().st_size < 10_000
    with messages(files([file])) as found:
        (one,) = found
    assert isinstance(one, Rejected)
    assert f"over {LONGEST} bytes" in str(one.letter.value)


def test_an_artefact_and_a_version_have_largest_sizes() -> None:
    with pytest.raises(artefact.ArtefactError, match=f"no more than {version.MAX_BYTES}"):
        version.PolicyVersion.read(b"\0" * (version.MAX_BYTES + 1))


def test_a_registry_that_talks_without_end_is_not_listened_to() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        while sent < 1_000:
            sent += 1
            await answer.write(b" " * 65_536)
        return answer

    async def talk() -> None:
        app = web.Application()
        app.router.add_post("/{rest:.*}", endless)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            await frames(load(schema_registry_url=url, start_timeout_s=20), [RECOMMENDATIONS])
        finally:
            await runner.cleanup()

    with pytest.raises(UserError, match="refuses recommendations-value"):
        asyncio.run(talk())
    assert sent < 500
