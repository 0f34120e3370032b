"""The rights that each program is said to need follow from the wiring and the settings."""

from pathlib import Path

import orjson
import pytest

from agents.wiring import FLOWS, SERVING
from infra.acls import COMPONENTS, Right, command, rights
from infra.cli import main
from infra.settings import load


def names(component: str, operation: str, kind: str = "topic", **given: str) -> set[str]:
    return {one.name for one in rights(load(**given), component) if one.operation == operation and one.kind == kind}


def test_a_worker_reads_what_it_reads_and_writes_what_it_emits_and_nothing_else() -> None:
    flows = [FLOWS[name] for name in SERVING]
    changelogs = {f"tradewind-{flow.name}-changelog" for flow in flows}
    read = {topic.name for flow in flows for topic in (*flow.reads, *flow.watches)} | {"policy-versions"}
    written = {topic.name for flow in flows for topic in flow.emits} | {"dead-letters"}
    assert names("worker", "READ") == read | changelogs
    assert names("worker", "WRITE") == written | changelogs
    assert names("worker", "DESCRIBE_CONFIGS") == read | written | changelogs
    assert names("worker", "READ", "group") == {"tradewind"}
    assert names("worker", "WRITE", "transactional id") == {f"tradewind-{name}-" for name in SERVING}
    assert not names("worker", "CREATE")


def test_prefix_names_and_id_are_those_of_the_settings() -> None:
    given = {"prefix": "eu.", "topics": "user-events=shop.clicks", "application_id": "wind"}
    assert {"shop.clicks", "eu.catalog", "eu.wind-items-changelog"} <= names("worker", "READ", **given)
    assert names("learner", "READ", "group", **given) == {"eu.wind.learner"}
    assert names("dead-letters", "WRITE", "transactional id", **given) == {"eu.wind-dead-letters"}


def test_a_shops_own_topics_are_only_read(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        '[[rule]]\nto = "orders"\nfrom = "shop.sales"\n'
        'fields = { order_id = "id", occurred_at = "at", lines = "lines" }\n'
    )
    given = {"mapping": str(file)}
    assert "shop.sales" in names("worker", "READ", **given)
    assert "orders" in names("worker", "WRITE", **given)
    assert "shop.sales" not in names("worker", "WRITE", **given) | names("topics", "CREATE", **given)
    assert "tradewind-intake-shop.sales-" in names("worker", "WRITE", "transactional id", **given)
    assert "shop.sales" not in names("dead-letters", "WRITE", **given)


def test_who_only_looks_writes_nothing() -> None:
    for component in ("dashboard", "history", "doctor"):
        assert names(component, "WRITE") == set(), component
    for component in COMPONENTS:
        found = rights(load(), component)
        assert found == sorted(set(found))
        assert not {(one.kind, one.name) for one in found if one.operation == "DESCRIBE"} & {
            (one.kind, one.name) for one in found if one.operation in {"READ", "WRITE"}
        }


def test_the_line_for_kafkas_tool_can_be_pasted() -> None:
    right = Right(kind="transactional id", name="eu.tradewind-items-", operation="WRITE", pattern="prefixed")
    assert command(right, "User:CN=a worker", "kafka:9092").endswith(
        "--allow-principal 'User:CN=a worker' --operation Write --transactional-id eu.tradewind-items- "
        "--resource-pattern-type prefixed"
    )


def test_the_command_prints_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["acls", "--component", "policies", "--principal", "User:p"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# policies: 2 rights for User:p"
    assert lines[1].endswith("--allow-principal User:p --operation Read --topic policy-versions")
    with pytest.raises(SystemExit):
        main(["acls", "--format", "json"])
    told = orjson.loads(capsys.readouterr().out)
    assert set(told) == set(COMPONENTS)
    assert told["policies"][1] == {
        "principal": "User:tradewind-policies",
        "operation": "WRITE",
        "resource_type": "TOPIC",
        "resource_name": "policy-versions",
        "pattern_type": "LITERAL",
        "permission": "ALLOW",
        "host": "*",
    }
    with pytest.raises(SystemExit):
        main(["acls", "--component", "workers"])
    assert "did you mean worker?" in capsys.readouterr().err
