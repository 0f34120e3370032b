"""A task's state on this machine: what was saved is there again, what can't be trusted is gone, memory is bounded."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import Decoded
from infra.settings import Settings
from infra.state.entries import Entries
from infra.state.folder import held
from infra.state.hot import Hot
from infra.state.mark import Mark, Progress
from infra.state.store import CorruptStateError, Store

SIX_DAYS_S = 6 * 86_400.0
writes = st.dictionaries(st.sampled_from("abcdef"), st.none() | st.binary(max_size=20), max_size=4)
moves = st.lists(writes | st.sampled_from(["save", "crash", "close"]), max_size=25)


@settings(max_examples=20, deadline=None)
@given(moves=moves)
def test_entries_are_a_dictionary_that_goes_back_to_its_last_save(moves: list[dict[str, bytes | None] | str]) -> None:
    async def live(path: Path) -> None:
        entries, now, saved = Entries(path), dict[str, bytes](), dict[str, bytes]()
        at = saved_at = -1
        for move in moves:
            if move == "save":
                await entries.save()
                saved, saved_at = dict(now), at
            elif isinstance(move, str):
                await entries.close()  # nothing is saved by it: the changelog has all
                entries, now, at = Entries(path), dict(saved), saved_at
            else:
                at += 10
                entries.apply(move, Progress(now=at), at)
                now = {key: value for key, value in (now | move).items() if value is not None}
            assert {key: entries.get(key) for key in "abcdef"} == {key: now.get(key) for key in "abcdef"}
            assert len(entries) == len(now)
            assert entries.mark.at == at
        await entries.close()

    with TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder) / "store"))


def test_much_that_changed_is_saved_by_itself_and_may_be_read_meanwhile(tmp_path: Path) -> None:
    async def live() -> None:
        entries = Entries(tmp_path / "store")
        for n in range(40):
            entries.apply({f"k{n}": bytes([n]) * 500_000}, Progress(now=n), n)
            assert entries.get("k0") == bytes(500_000)
            await asyncio.sleep(0)
        await entries.close()
        again = Entries(tmp_path / "store")
        assert 0 <= again.mark.at < 39
        assert len(again) == again.mark.at + 1
        await again.close()

    asyncio.run(live())


async def _filled(path: Path) -> None:
    entries = Entries(path)
    entries.apply({f"k{n}": b"%d" % n * 50 for n in range(5000)}, Progress(now=7), 5)
    await entries.save()
    await entries.close()


def test_a_damaged_table_is_told_and_never_read_as_something_else(tmp_path: Path) -> None:
    asyncio.run(_filled(tmp_path / "store"))
    for table in (tmp_path / "store").glob("*.sst"):
        body = bytearray(table.read_bytes())
        body[len(body) // 3 : len(body) // 2] = bytes(len(body) // 2 - len(body) // 3)
        table.write_bytes(body)

    async def read() -> None:
        entries = Entries(tmp_path / "store")
        with pytest.raises(CorruptStateError):
            [entries.get(f"k{n}") for n in range(5000)]
        await entries.clear()
        assert (entries.get("k1"), len(entries), entries.mark.at) == (None, 0, -1)
        await entries.close()

    asyncio.run(read())


@pytest.mark.parametrize("torn", ["CURRENT", "MANIFEST-*", "*.sst"])
def test_a_torn_file_is_no_state_at_all(tmp_path: Path, torn: str) -> None:
    asyncio.run(_filled(tmp_path / "store"))
    for file in (tmp_path / "store").glob(torn):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])

    async def look() -> int:
        entries = Entries(tmp_path / "store")
        await entries.close()
        return entries.mark.at

    assert asyncio.run(look()) == -1


def test_a_state_so_old_that_the_changelog_may_have_forgotten_removals_is_not_used(tmp_path: Path) -> None:
    for age, at in ((SIX_DAYS_S - 60, 5), (SIX_DAYS_S + 60, -1)):
        store = Store(tmp_path / "store")
        store.write({"k": b"v"}, msgspec.msgpack.encode(Mark(at=5, count=1, saved_at=time() - age)))
        store.close()
        entries = Entries(tmp_path / "store")
        assert entries.mark.at == at
        asyncio.run(entries.close())


class Body(msgspec.Struct):
    n: int = 0


def test_what_is_kept_hot_is_bounded_and_the_longest_unused_goes_first() -> None:
    hot = Hot(limit=10 * 1200)
    for n in range(30):
        hot.keep("a", {f"k{n}": Decoded(bytes(1000), Body(n))})
        first = hot.of("a").pop("k0", None)
        if first is not None:
            hot.keep("a", {"k0": first})
    assert len(hot) == 10
    assert [n for n in range(30) if hot.of("a").pop(f"k{n}", None)] == [0, *range(21, 30)]
    assert len(hot) == 0


def test_tasks_dont_see_each_others_entries() -> None:
    hot = Hot(limit=10_000)
    hot.keep("a", {"k": Decoded(b"1", Body(1))})
    hot.keep("b", {"k": Decoded(b"2", Body(2))})
    hot.forget("a")
    assert hot.of("a").pop("k", None) is None
    assert hot.of("b").pop("k", None) == Decoded(b"2", Body(2))


def test_two_workers_never_share_a_folder_and_each_finds_its_own_again(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, group_instance_id="w")
    with held(settings) as first:
        with held(settings) as second:
            assert first != second
        with held(settings) as third:
            assert third == second
    with held(settings) as again:
        assert again == first
