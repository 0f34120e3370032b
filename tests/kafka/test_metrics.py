"""A real worker tells of itself what is true: counts, lag, readiness, and the trace from an event to its action."""

import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from infra.broker import server
from infra.metrics.table import METRICS
from infra.tracing.context import Context
from tests.kafka.harness import AT, COUNTER, LONG_S, TRADEWIND, Setting, committed, order, placed, produce, send

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = b"00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def setting(broker: str, prefix: str, tmp_path: Path) -> Generator[Setting]:
    with placed(broker, prefix, tmp_path) as place:
        yield place


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(port: int, path: str) -> tuple[int, str]:
    """Status and text; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


def await_answer(port: int, path: str, status: int, said: str = "") -> str:
    give_up = time.monotonic() + LONG_S
    while time.monotonic() < give_up:
        found, text = asked(port, path)
        if found == status and said in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"{path} never answered {status} {said!r}; last {asked(port, path)}")


def scraped(port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels."""
    families: Any = text_string_to_metric_families(asked(port, "/metrics")[1])
    return {(row.name, tuple(sorted(row.labels.items()))): row.value for one in families for row in one.samples}


def total(port: int, name: str) -> float:
    return sum(value for (found, _), value in scraped(port).items() if found == name)


def await_total(port: int, name: str, least: float) -> None:
    give_up = time.monotonic() + LONG_S
    while total(port, name) < least:
        assert time.monotonic() < give_up, f"{name} never came to {least}"
        time.sleep(0.1)


@contextmanager
def collector() -> Generator[tuple[str, list[Any]]]:
    """An OpenTelemetry collector: its address, and the spans that came."""
    spans: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = zlib.decompress(body, wbits=31) if self.headers.get("Content-Encoding") == "gzip" else body
            told = ExportTraceServiceRequest.FromString(body)
            spans.extend(span for one in told.resource_spans for scope in one.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class's name
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", spans
    finally:
        listener.shutdown()
        listener.server_close()


def test_what_it_counts_is_what_has_flowed(setting: Setting) -> None:
    port = free_port()
    worker = setting.start(metrics_port=str(port))
    worker.wait_for("ready: 2 partitions")
    await_answer(port, "/readyz", 200)
    assert asked(port, "/livez") == (200, "ok\n")
    produce(setting.address, f"{setting.prefix}orders", range(300))
    send(setting.address, f"{setting.prefix}orders", [(b"o1", b"not json")])
    committed(setting.address, f"{setting.prefix}sku-demand", 300)
    await_total(port, "tradewind_records_total", 301)
    found = scraped(port)
    assert found["tradewind_records_total", (("agent", "counter"), ("topic", "orders"))] == 301
    assert found["tradewind_actions_total", (("topic", "sku-demand"),)] == 300
    assert found["tradewind_dead_letters_total", (("reason", "not-json"), ("topic", "orders"))] == 1
    assert found["tradewind_event_to_action_seconds_count", (("agent", "counter"),)] == 301
    assert 0 < found["tradewind_event_to_action_seconds_sum", (("agent", "counter"),)] < 301 * LONG_S
    assert found["tradewind_state_entries", (("agent", "counter"),)] == 20
    steps, transactions = total(port, "tradewind_step_seconds_count"), total(port, "tradewind_transactions_total")
    assert 0 < steps <= transactions
    known = {series for metric in METRICS.values() for series in metric.series}
    assert {name for name, _ in found if name.startswith("tradewind_")} <= known


def test_what_waits_is_the_lag_and_ages_until_it_is_committed(setting: Setting) -> None:
    port = free_port()
    worker = setting.start(metrics_port=str(port))
    worker.wait_for("ready: 2 partitions")
    send(setting.address, f"{setting.prefix}orders", [order(1)])
    await_total(port, "tradewind_records_total", 1)
    time.sleep(4)  # a beat later
    assert total(port, "tradewind_lag_records") == 0
    assert total(port, "tradewind_commit_age_seconds") == 0
    worker.stop()
    deaf = setting.start(program=(*COUNTER, "deaf"), metrics_port=str(port))
    deaf.wait_for("ready: 2 partitions")
    produce(setting.address, f"{setting.prefix}orders", range(40))
    await_total(port, "tradewind_lag_records", 40)
    age = total(port, "tradewind_commit_age_seconds")
    time.sleep(1)
    assert total(port, "tradewind_commit_age_seconds") > age


def test_it_is_alive_and_not_ready_while_it_restores(setting: Setting) -> None:
    port = free_port()
    late = setting.start(program=(*COUNTER, "late"), metrics_port=str(port))
    await_answer(port, "/readyz", 503, "2 of 2 partitions have no state yet")
    assert asked(port, "/livez")[0] == 200
    assert total(port, "tradewind_ready") == 0
    late.wait_for("ready: 2 partitions")
    await_answer(port, "/readyz", 200)
    assert total(port, "tradewind_ready") == 1


def test_without_partitions_it_stands_by_and_is_ready(setting: Setting) -> None:
    ports = [free_port() for _ in range(3)]
    for number, port in enumerate(ports):
        setting.start(f"w{number}", metrics_port=str(port)).wait_for("ready")
    for port in ports:
        await_answer(port, "/readyz", 200)
    give_up = time.monotonic() + LONG_S
    while sorted(total(port, "tradewind_partitions") for port in ports) != [0, 1, 1]:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    for port in ports:
        await_answer(port, "/readyz", 200)


def test_while_the_brokers_are_away_it_is_alive_and_not_ready(prefix: str, tmp_path: Path) -> None:
    port = free_port()
    with server.running(tmp_path / "broker") as broker, placed(broker.address, prefix, tmp_path) as setting:
        setting.start(metrics_port=str(port)).wait_for("ready: 2 partitions")
        await_answer(port, "/readyz", 200)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await_answer(port, "/readyz", 503, "the brokers don't answer")
            assert total(port, "tradewind_broker_answers") == 0
            assert asked(port, "/livez") == (200, "ok\n")
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await_answer(port, "/readyz", 200)


def test_an_action_goes_on_in_the_trace_of_its_event(setting: Setting) -> None:
    with collector() as (address, spans):
        worker = setting.start(otlp_endpoint=address)
        worker.wait_for("ready: 2 partitions")
        client: Any = KafkaProducer(bootstrap_servers=setting.address)
        state = ("tracestate", b"shop=1")
        for number, headers in enumerate([[("traceparent", TRACE), state], [("traceparent", UNSAMPLED)], []]):
            key, value = order(number)
            client.send(f"{setting.prefix}orders", key=key, value=value, headers=headers, partition=1)
        client.close()
        said = committed(setting.address, f"{setting.prefix}sku-demand", 3)
        assert worker.stop() == 0  # what is in hand is exported at the end
    inherited = {orjson.loads(one.value)["event_id"]: dict(one.headers) for one in said}
    (span,) = spans
    parent, own = Context.read(TRACE), Context.read(inherited["n0"]["traceparent"])
    assert parent is not None
    assert own is not None
    assert inherited["n0"]["tracestate"] == b"shop=1"
    assert (span.trace_id, span.parent_span_id) == (parent.trace_id.to_bytes(16), parent.span_id.to_bytes(8))
    assert span.span_id == own.span_id.to_bytes(8)
    assert span.name == f"process {setting.prefix}orders"
    assert inherited["n1"]["traceparent"] == UNSAMPLED
    assert "traceparent" not in inherited["n2"]


def test_a_decision_shows_its_propensity_and_the_learner_its_count(setting: Setting) -> None:
    port = free_port()
    program = ("-c", "from infra.cli import main; main(['worker', '--with-learner'])")
    worker = setting.start(program=program, metrics_port=str(port), log_format="json")
    worker.wait_for("ready")
    catalog = [(f"i{n}".encode(), orjson.dumps({"item_id": f"i{n}", "category": "c"})) for n in range(8)]
    send(setting.address, f"{setting.prefix}catalog", catalog)
    await_total(port, "tradewind_records_total", 8)
    asks = {"user_id": "u", "type": "request", "slate_size": 2}
    events = [orjson.dumps({**asks, "event_id": f"e{n}", "occurred_at": AT + n}) for n in range(3)]
    send(setting.address, f"{setting.prefix}user-events", [(b"u", event) for event in events])
    await_total(port, "tradewind_decisions_total", 3)
    await_total(port, "tradewind_actions_total", 3)  # an action counts once it is committed, which is a little later
    found = scraped(port)
    assert found["tradewind_actions_total", (("topic", "recommendations"),)] == 3
    assert found["tradewind_policy_version", ()] == 0
    assert ("tradewind_policy_age_seconds", ()) not in found
    assert worker.stop() == 0
    lines = [orjson.loads(line) for line in worker.errors.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)


def test_a_taken_port_is_told_in_a_sentence(setting: Setting) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        worker = setting.start(metrics_port=str(taken.getsockname()[1]))
        assert worker.process.wait(LONG_S) != 0
    said = worker.errors.read_text()
    assert "TRADEWIND_METRICS_PORT: can't listen at 127.0.0.1" in said
    assert "not stopped" not in said  # nothing was started that had to be ended


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_password_is_in_no_log(setting: Setting, style: str) -> None:
    secret = "open-sesame-9"  # noqa: S105 # made up
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "u", "sasl_password": secret}
    worker = setting.start(program=TRADEWIND, log_level="DEBUG", log_format=style, start_timeout_s="3", **given)
    assert worker.process.wait(LONG_S) == 2
    said = worker.errors.read_text()
    assert said
    assert secret not in said
