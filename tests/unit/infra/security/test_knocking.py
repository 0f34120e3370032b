"""What keeps a client out is found by asking once more; where nobody is there, there is nothing to find."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from infra.cluster.knocking import kept_out, knock
from infra.errors import UserError
from infra.settings import load


@contextmanager
def listener(answer: Callable[[bytes], bytes]) -> Generator[str]:
    """Something that accepts one connection, and answers what it is told with what `answer` makes of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as one:
                one.sendall(answer(one.recv(1_000)))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def echoed(hello: bytes) -> bytes:
    """As a broker begins its answer: its length, and the number of what was asked."""
    return b"\0\0\0\x06" + hello[8:12] + b"\0\0"


def test_where_nobody_is_there_is_nothing_to_find() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    assert kept_out(load(bootstrap_servers=address)) is None


def test_a_broker_that_answers_in_the_clear_keeps_nobody_out() -> None:
    with listener(echoed) as address:
        assert kept_out(load(bootstrap_servers=address)) is None


def test_one_that_wants_a_login_refuses_it() -> None:
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512", "sasl_password": "hunter2"}
    with listener(echoed) as address:
        told = str(kept_out(load(bootstrap_servers=address, **given)))
    assert "doesn't let this user in by SCRAM-SHA-512: check TRADEWIND_SASL_USERNAME" in told
    assert "hunter2" not in told


def test_what_speaks_another_language_is_no_broker_for_this_protocol() -> None:
    with listener(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        assert "doesn't talk PLAINTEXT" in str(kept_out(load(bootstrap_servers=address)))
    with listener(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        assert "doesn't talk SSL" in str(kept_out(load(bootstrap_servers=address, security_protocol="SSL")))
    with listener(lambda _: b"") as address:
        assert "doesn't talk PLAINTEXT" in str(kept_out(load(bootstrap_servers=address)))


def test_one_broker_of_several_that_opens_is_enough() -> None:
    with listener(lambda _: b"HTTP/1.1") as wrong, listener(echoed) as right:
        knock(load(bootstrap_servers=f"{wrong},{right}"))


def test_where_none_does_the_reason_is_told_at_once_and_where_none_is_there_after_a_while() -> None:
    with listener(lambda _: b"HTTP/1.1") as wrong, pytest.raises(UserError, match="doesn't talk PLAINTEXT"):
        knock(load(bootstrap_servers=wrong, start_timeout_s=60))
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(UserError, match="no Kafka broker answers"):
        knock(load(bootstrap_servers=address, start_timeout_s=0.2))
