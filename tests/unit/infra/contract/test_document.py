"""The published contract says what the code does: one AsyncAPI document, whose examples are real messages."""

from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.cli import main
from infra.contract.document import document
from infra.contract.snapshot import DOCUMENT, current_document
from infra.contract.yaml import dump
from infra.settings import Settings
from streams.codec import decode
from streams.topics import BY_NAME, TOPICS, Topic

SPECIFICATION = Path(__file__).parents[3] / "contract/asyncapi/3.0.0.json"
LATE = 2_000_000_000_000


@pytest.fixture(scope="module")
def specification() -> Any:
    return jsonschema.Draft7Validator(orjson.loads(SPECIFICATION.read_bytes()))


def valid(value: Any, schema: Any) -> None:
    """Raise what is wrong with a value."""
    jsonschema.validate(value, schema, cls=jsonschema.Draft7Validator)


def made(**settings: Any) -> dict[str, Any]:
    return document(Settings(**settings), "1.2.3")


def test_it_is_an_asyncapi_3_document(specification: Any) -> None:
    assert not [error.message for error in specification.iter_errors(made())]


def test_the_specification_would_tell_a_wrong_one(specification: Any) -> None:
    wrong = made()
    wrong["operations"]["send-decisions"]["action"] = "shout"
    assert list(specification.iter_errors(wrong))


def test_the_published_document_is_what_the_records_say() -> None:
    told = "run `python -m infra.contract.snapshot`"
    assert DOCUMENT.read_text() == current_document(), told
    assert yaml.safe_load(DOCUMENT.read_text())["channels"].keys() == BY_NAME.keys()


@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_an_example_fits_its_schema_and_is_read_by_the_codec(topic: Topic) -> None:
    whole = made(cloud_events="all")
    message = whole["components"]["messages"][topic.record.__name__]
    for example in message["examples"]:
        payload = {"$ref": f"#/components/schemas/{topic.record.__name__}", "components": whole["components"]}
        valid(example["payload"], payload)
        valid(example["headers"], message["headers"])
        value = orjson.dumps(example["payload"])
        key = topic.key(topic.record(**example["payload"])) if topic.name == "user-events" else None
        record = decode(topic, (key or _key(topic, value)).encode(), value, LATE)[1]
        assert isinstance(record, topic.record)


def _key(topic: Topic, value: bytes) -> str:
    import msgspec

    return topic.key(msgspec.json.decode(value, type=topic.record))


@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_a_schema_refuses_what_the_codec_refuses(topic: Topic) -> None:
    whole = made()
    example = whole["components"]["messages"][topic.record.__name__]["examples"][0]["payload"]
    schema = {"$ref": f"#/components/schemas/{topic.record.__name__}", "components": whole["components"]}
    for name in whole["components"]["schemas"][topic.record.__name__]["required"]:
        less = {field: value for field, value in example.items() if field != name}
        with pytest.raises(jsonschema.ValidationError, match=name):
            valid(less, schema)


def test_times_may_come_as_text_and_go_out_as_numbers() -> None:
    parts = made()["components"]["schemas"]
    valid("2017-01-01T12:00:00Z", parts["UserEvent"]["properties"]["occurred_at"])
    assert parts["Recommendation"]["properties"]["decided_at"]["type"] == "integer"


def test_topics_have_their_names_on_the_cluster() -> None:
    channels = made(prefix="eu.", topics={"orders": "shop.orders"})["channels"]
    assert channels["user-events"]["address"] == "eu.user-events"
    assert channels["orders"]["address"] == channels["orders"]["bindings"]["kafka"]["topic"] == "shop.orders"
    assert channels["catalog"]["bindings"]["kafka"]["topicConfiguration"] == {"cleanup.policy": ["compact"]}
    assert channels["policy-versions"]["bindings"]["kafka"]["partitions"] == 1


@pytest.mark.parametrize(("chosen", "on"), [("off", ()), ("actions", ("Recommendation",))])
def test_cloud_events_headers_are_told_where_they_are_sent(chosen: str, on: tuple[str, ...]) -> None:
    messages = made(cloud_events=chosen)["components"]["messages"]
    for name in ("Recommendation", "Decision", "UserEvent"):
        assert ("ce_id" in messages[name]["headers"]["properties"]) == (name in on)


def test_the_command_writes_yaml_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("contract.yaml", "contract.json"):
        with pytest.raises(SystemExit) as ended:
            main(["asyncapi", "--out", str(tmp_path / name), "--prefix", "eu."])
        assert ended.value.code == 0
    written = orjson.loads((tmp_path / "contract.json").read_bytes())
    assert yaml.safe_load((tmp_path / "contract.yaml").read_text()) == written
    with pytest.raises(SystemExit) as ended:
        main(["asyncapi", "--against", str(tmp_path / "contract.json")])
    assert ended.value.code == 0
    written["components"]["schemas"]["Recommendation"]["properties"]["urgency"] = {"type": "string"}
    (tmp_path / "contract.json").write_bytes(orjson.dumps(written))
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["asyncapi", "--against", str(tmp_path / "contract.json")])
    assert ended.value.code == 1
    assert capsys.readouterr().out == "recommendations: urgency: is gone\n"


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"channels": {}, "components": {}}'])
def test_no_document_is_told_as_such(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(SystemExit) as ended:
        main(["asyncapi", "--against", str(tmp_path / "x.json")])
    assert ended.value.code == 2
    assert "is no document" in capsys.readouterr().err


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_yaml_reads_back_as_what_was_written(data: Any) -> None:
    try:
        orjson.dumps(data)
    except TypeError:
        return
    assert yaml.safe_load(dump(data)) == data
