"""The pages under docs/reference are those that the code makes now."""

import pytest

from infra.cli import COMMANDS
from infra.reference.pages import PAGES, ROOT
from infra.settings import PREFIX, Settings
from streams.topics import TOPICS
from tests.docs import blocks


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_made_of_the_code(name: str) -> None:
    written = (blocks.ROOT / ROOT / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "python -m infra.reference writes it anew"


def test_nothing_is_left_out() -> None:
    settings, topics, commands = (PAGES[name]() for name in ("settings.md", "topics.md", "commands.md"))
    assert all(f"`{PREFIX}{name.upper()}`" in settings for name in Settings.model_fields)
    assert all(f"### {topic}\n" in topics for topic in TOPICS)
    assert all(f"`{name}`" in topics for topic in TOPICS for name in topic.record.__struct_fields__)
    for name in COMMANDS:
        command, _ = blocks.command_of([name])
        for each in getattr(command, "commands", {"": command}).values():
            assert all(option in commands for option in blocks.options_of(each) - {"--help"})
