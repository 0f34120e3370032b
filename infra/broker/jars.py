"""The jars that Kafka is made of: which ones, their sha256, and where they are kept. Starts no process."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.errors import UserError

KAFKA_VERSION: Final = "4.3.1"
LOCK: Final = Path(__file__).with_name("jars.lock")
_TRIES: Final = 3
_AT_ONCE: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One line of the lock: Maven coordinates, and the sha256 of the file in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def read_lock() -> list[Jar]:
    """The jars of `jars.lock`: one a line, `sha256 group:artifact:version`, comments after #."""
    lines = (line.split("#")[0].split() for line in LOCK.read_text(encoding="utf-8").splitlines())
    return [_jar(digest, coordinates) for digest, coordinates in filter(None, lines)]


def _jar(digest: str, coordinates: str) -> Jar:
    group, artifact, version = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, sha256=digest)


def cache_dir() -> Path:
    """Where downloads are kept: $TRADEWIND_CACHE, or the user's cache folder."""
    named = os.environ.get("TRADEWIND_CACHE")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tradewind"


def classpath() -> str:
    """Java's class path of the broker. Fetches what isn't there yet; raises UserError where that fails."""
    jars = read_lock()
    # A folder of its own for each lock, so that it never holds a jar that the lock doesn't name.
    folder = cache_dir() / f"kafka-{KAFKA_VERSION}-{sha256(LOCK.read_bytes()).hexdigest()[:8]}"
    missing = [jar for jar in jars if not (folder / jar.filename).exists()]
    if missing:
        _fetch(missing, folder)
    return os.pathsep.join(str(folder / jar.filename) for jar in jars)


def _fetch(jars: list[Jar], folder: Path) -> None:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    console.print(f"tradewind: fetching Apache Kafka {KAFKA_VERSION}, {len(jars)} jars, into {folder}", soft_wrap=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Files arrive in a folder of their own and move once verified: what lies in `folder` is whole and right, even
        # when two processes fetch at once or one is killed.
        with (
            TemporaryDirectory(dir=folder) as staging,
            Progress(console=console, transient=True) as progress,
        ):
            task = progress.add_task("jars", total=len(jars))
            for _ in _arrivals(jars, Path(staging), folder):
                progress.advance(task)
    except OSError as error:
        raise UserError(
            f"TRADEWIND_CACHE: the jars of Kafka can't be kept in {folder} ({error}); name another folder"
        ) from error


def _arrivals(jars: list[Jar], staging: Path, folder: Path) -> Iterator[None]:
    def fetch(jar: Jar) -> None:
        keep(jar, _download(jar, staging), folder)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(fetch, jars)


def keep(jar: Jar, arrived: Path, folder: Path) -> None:
    """Move a file that arrived to its place, if it is what the lock says. Raises UserError if it isn't."""
    found = sha256(arrived.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise UserError(
            f"{jar.filename} arrived with sha256 {found[:12]}… where jars.lock says {jar.sha256[:12]}…: not used; "
            "check what stands between you and the Maven repository"
        )
    arrived.replace(folder / jar.filename)


def _download(jar: Jar, staging: Path) -> Path:
    try:
        from jgo.maven import MavenContext
        from requests import RequestException
    except ModuleNotFoundError as error:
        raise UserError("the embedded broker needs the extra 'broker': pip install 'tradewind[broker]'") from error
    failure: Exception | None = None
    for attempt in range(_TRIES):
        context = MavenContext(repo_cache=staging / f"{jar.filename}.{attempt}", timeout=30)
        try:
            return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except (RequestException, RuntimeError) as error:
            failure = error
    raise UserError(
        f"{jar.filename} of Apache Kafka can't be fetched ({type(failure).__name__}); check the network or its proxy "
        "settings and try again, or use your own cluster by TRADEWIND_BOOTSTRAP_SERVERS"
    ) from failure


if __name__ == "__main__":
    import sys

    try:
        classpath()
    except UserError as error:
        sys.exit(f"tradewind: {error}")
