"""Files of messages as a history: JSON lines (plain, gzip, zstd) or Parquet, each in its own order, merged by time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Self

from msgspec.structs import replace

from infra.errors import UserError
from infra.history.clock import clock, event_time
from infra.history.jsonl import Place, places
from infra.history.merge import merged
from infra.history.message import Found, Message, Rejected
from infra.history.parquet import number_of_rows, rows
from infra.history.part import ENDED, By, FilePart, FileSlice
from infra.history.rejected import rejected
from streams.topics import Topic

PARQUET: Final = b"PAR1"
_LINES: Final = 2**40  # no file has as many
SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")


def files(
    paths: Iterable[Path],
    *,
    topics: Iterable[Topic] = (),
    since: int | None = None,
    until: int | None = None,
    beyond: Iterable[Topic] = (),
    by: By = "log",
    numbered: bool = False,
    option: str = "--events",
) -> FilePart:
    """The history that these files are; a directory stands for all that it holds of known kinds, by name.

    `topics` empty stands for all; the range (epoch ms) is of the log's time. `numbered`: a message without an offset
    has that of its line, for a mapping that names by it what has no name of its own. Raises UserError, which names
    `option`.
    """
    slices = [_slice(file, option) for path in paths for file in _listed(path, option)]
    return FilePart(
        slices=tuple(slices),
        since=since,
        until=until,
        beyond=tuple(topic.name for topic in beyond),
        topics=tuple(topic.name for topic in topics),
        by=by,
        numbered=numbered,
    )


def _listed(path: Path, option: str) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES) and file.is_file())
    if not found:
        raise UserError(f"{option}: {path} can't be read: it holds no {', '.join(SUFFIXES)} file")
    return found


def _slice(path: Path, option: str) -> FileSlice:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET)) == PARQUET
            there = path.stat()
            count = number_of_rows(file, path) if is_parquet else 0
    except OSError as error:
        raise UserError(f"{option}: {path} can't be read: {error.strerror or error}") from error
    form = "parquet" if is_parquet else "jsonl"
    return FileSlice(path=str(path), format=form, size=there.st_size, changed_ns=there.st_mtime_ns, rows=count)


class FileReading:
    """One reading of a part, as `infra.history.reading.Reading` has it."""

    def __init__(self, part: FilePart) -> None:
        self._part = part
        self._open = ExitStack()
        self._slices = list(part.slices)
        self._after: dict[int, Place] = {}
        self._ended: set[int] = set()
        self._files = [self._opened(one) for one in part.slices]
        self._topics = frozenset(part.topics)
        self._beyond = frozenset(part.beyond)
        self._time = clock(part.by)
        streams = [self._places(number) for number in range(len(part.slices))]
        self._merged = merged(streams, self._time_of)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Found:
        number, place = next(self._merged)
        self._after[number] = place
        return place.found

    def rest(self) -> FilePart:
        return replace(self._part, slices=tuple(map(self._left, range(len(self._slices)))))

    def _left(self, number: int) -> FileSlice:
        one, place = self._slices[number], self._after.get(number)
        if place is None:
            return one
        return replace(one, start=place.start, line=place.line, at=place.at, done=self._read(number))

    @property
    def done(self) -> int:
        return sum(map(self._read, range(len(self._slices)))) - sum(one.done for one in self._slices)

    @property
    def total(self) -> int:
        return sum(one.size - one.done for one in self._slices)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _opened(self, one: FileSlice) -> IO[bytes]:
        try:
            file = self._open.enter_context(Path(one.path).open("rb"))  # noqa: SIM115 # it is
            there = Path(one.path).stat()
        except OSError as error:
            self.close()
            raise UserError(f"{one.path} can't be read: {error.strerror or error}") from error
        is_other = there.st_size == one.size and there.st_mtime_ns != one.changed_ns
        if there.st_size < one.size or is_other:
            self.close()
            raise UserError(f"{one.path} has changed since this reading began: start afresh")
        return file

    def _read(self, number: int) -> int:
        """How far a file has been read, in bytes as they lie on the disk."""
        one, place = self._slices[number], self._after.get(number)
        if number in self._ended or (place is not None and place.start == ENDED):
            return one.size
        if one.format == "jsonl":
            return min(one.size, max(one.done, self._files[number].tell()))
        return max(one.done, one.size * place.start // max(one.rows, 1) if place else 0)

    def _time_of(self, place: Place) -> int:
        return self._time(place.found) if isinstance(place.found, Message) else -1

    def _places(self, number: int) -> Iterator[Place]:
        one, file = self._slices[number], self._files[number]
        try:
            for found in places(file, one) if one.format == "jsonl" else rows(file, one):
                place = _numbered(found, number) if self._part.numbered else found
                if (kept := self._kept(place)) is not None:
                    yield kept
            self._ended.add(number)
        except OSError as error:
            raise UserError(f"{one.path} can't be read: {error.strerror or error}") from error

    def _kept(self, place: Place) -> Place | None:
        """What is in the range, of the wanted topics, or was no message; None for the rest."""
        found = place.found
        if not isinstance(found, Message):
            return place
        if self._topics and found.topic.name not in self._topics:
            return None
        since, until = self._part.since, self._part.until
        if since is None and until is None:
            return place
        at = found.timestamp if found.timestamp > 0 else event_time(found)
        if at <= 0:
            return place._replace(found=_timeless(found, place))
        is_late = until is not None and at >= until and found.topic.name not in self._beyond
        return None if is_late or (since is not None and at < since) else place


def _numbered(place: Place, file: int) -> Place:
    """The same message has the same number whatever range is asked for: its line's, beyond those of earlier files."""
    found = place.found
    if not isinstance(found, Message) or found.offset is not None:
        return place
    return place._replace(found=found._replace(offset=file * _LINES + place.line - 1))


def _timeless(found: Message, place: Place) -> Rejected:
    detail = "neither the message nor its record has a time, and a range of time was asked for"
    name = found.topic.name
    return rejected(found.value or b"", place.line, place.at, reason="no-time", detail=detail, topic=name)
