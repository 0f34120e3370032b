"""The contract as it was agreed: one schema per topic and version in a folder, and what has changed since.

`python -m infra.contract.snapshot` brings docs/contract and docs/asyncapi.yaml up to date. It refuses to overwrite a
version by one that breaks readers or writers: raise `version` of the topic in streams/topics.py first.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson

from infra.contract.compatibility import DIRECTIONS, breaking
from infra.contract.document import document
from infra.contract.schemas import Schema, schema_of
from infra.contract.yaml import dump
from infra.errors import UserError
from infra.settings import Settings
from streams.topics import TOPICS, Topic

DOCS: Final = Path(__file__).parents[2] / "docs"
FOLDER: Final = DOCS / "contract"
DOCUMENT: Final = DOCS / "asyncapi.yaml"


def place_of(topic: Topic, folder: Path = FOLDER) -> Path:
    """Where the schema of a topic's version lies."""
    return folder / f"{topic.name}.v{topic.version}.json"


def problems(topic: Topic, folder: Path = FOLDER) -> list[str]:
    """What breaks between the agreed schema and the record as it is now, as sentences."""
    place = place_of(topic, folder)
    if not place.is_file():
        return []
    agreed: Schema = orjson.loads(place.read_bytes())
    return [f"{topic.name}: {one}" for one in breaking(agreed, schema_of(topic), DIRECTIONS[topic.role])]


def text_of(topic: Topic) -> bytes:
    """The schema as it lies in its file."""
    return orjson.dumps(schema_of(topic), option=orjson.OPT_INDENT_2) + b"\n"


def current_document() -> str:
    """The document of a cluster with all settings at their defaults."""
    return dump(document(Settings.model_construct(), version("tradewind")))


def broken_since(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What breaks between two AsyncAPI documents of this system, by channel, where the version wasn't raised."""
    said: list[str] = []
    for name, channel in before.get("channels", {}).items():
        if name not in now["channels"]:
            said.append(f"{name}: the topic is gone")
            continue
        if channel.get("x-version") == now["channels"][name]["x-version"]:
            direction = DIRECTIONS[now["channels"][name]["x-role"]]
            said += [f"{name}: {one}" for one in breaking(_payload(before, name), _payload(now, name), direction)]
    return said


def _payload(whole: dict[str, Any], channel: str) -> Schema:
    record = next(iter(whole["channels"][channel]["messages"]))
    parts = whole["components"]["schemas"]
    return {**parts[record], "definitions": parts}


def write() -> list[Path]:
    """Bring the files up to date; returns those that changed. Raises UserError where a version must be raised."""
    broken = [one for topic in TOPICS for one in problems(topic)]
    if broken:
        raise UserError(f"raise the version of these topics in streams/topics.py: {'; '.join(broken)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = {place_of(topic): text_of(topic) for topic in TOPICS} | {DOCUMENT: current_document().encode()}
    changed = [path for path, text in wanted.items() if not path.is_file() or path.read_bytes() != text]
    for path in changed:
        path.write_bytes(wanted[path])
    return changed


if __name__ == "__main__":
    import sys

    try:
        for path in write():
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")
    except UserError as error:
        sys.exit(f"tradewind: {error}")
