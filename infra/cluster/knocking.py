"""Whether a broker is there, and why it doesn't let this client in: the libraries only say that nobody answered."""

import socket
import ssl
from time import monotonic, sleep
from typing import Final

from infra.cluster.clients import tls
from infra.errors import UserError
from infra.settings import Settings

_PATIENCE_S: Final = 3.0
_AGAIN_S: Final = 0.1
# ApiVersions, version 0, correlation 1, no client id: a broker answers it to anybody who speaks its language.
_HELLO: Final = b"\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff"


def knock(settings: Settings) -> None:
    """Wait until a broker opens, at most as long as the settings say. Raises UserError where none does.

    kafka-python tries on until its time is over, and leaves a socket behind for each time that nobody opened to it.
    """
    give_up = monotonic() + settings.start_timeout_s
    while not _one_opens(settings):
        if monotonic() > give_up:
            raise unreachable(settings)
        sleep(_AGAIN_S)


def unreachable(settings: Settings) -> UserError:
    """The sentence for a cluster that doesn't answer, or doesn't let this client in. Asks it once more which it is."""
    return kept_out(settings) or UserError(
        f"no Kafka broker answers at {settings.bootstrap_servers}: start one (`tradewind broker up`) "
        "or set TRADEWIND_BOOTSTRAP_SERVERS to host:port of yours"
    )


def _one_opens(settings: Settings) -> bool:
    """Whether one of the brokers understands us; False where none is there. Raises UserError where none does."""
    reasons: list[UserError] = []
    for server in settings.servers:
        try:
            reason = _reason(settings, server)
        except OSError:
            continue
        if reason is None:
            return True
        reasons.append(reason)
    if reasons:
        raise reasons[0]
    return False


def kept_out(settings: Settings) -> UserError | None:
    """The reason, where a broker is there and won't have us; None where none is there, or nothing is amiss."""
    for server in settings.servers:
        try:
            reason = _reason(settings, server)
        except OSError:
            continue
        return reason or (_refused(settings, server) if settings.security_protocol.startswith("SASL") else None)
    return None


def _reason(settings: Settings, server: str) -> UserError | None:
    """Why this broker doesn't understand us; None where it does, or takes long to say. Raises OSError: nobody there."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), timeout=_PATIENCE_S) as found:
        try:
            secured = "SSL" in settings.security_protocol
            answered = _answers(tls(settings).wrap_socket(found, server_hostname=host) if secured else found)
        except ssl.SSLCertVerificationError as error:
            return _untrusted(server, error.verify_message)
        except TimeoutError:
            return None  # a broker that is starting listens before it answers
        except OSError:  # an SSLError is one
            answered = False
    return None if answered else _foreign(settings.security_protocol, server)


def _untrusted(server: str, why: str) -> UserError:
    return UserError(
        f"the certificate of the broker at {server} isn't trusted ({why}): set TRADEWIND_SSL_CAFILE to the "
        "authority's that signed it, and use the name that it is made out to"
    )


def _foreign(protocol: str, server: str) -> UserError:
    certificate = ", or ask for a certificate (TRADEWIND_SSL_CERTFILE)" if "SSL" in protocol else ""
    return UserError(
        f"what listens at {server} doesn't talk {protocol}: it may want another "
        f"TRADEWIND_SECURITY_PROTOCOL{certificate}"
    )


def _answers(found: socket.socket) -> bool:
    with found:
        found.sendall(_HELLO)
        told = b""
        while len(told) < 8 and (more := found.recv(8 - len(told))):
            told += more
    return told[4:] == _HELLO[8:12]


def _refused(settings: Settings, server: str) -> UserError:
    named = (
        "the token (TRADEWIND_OAUTH_…)"
        if settings.sasl_mechanism == "OAUTHBEARER"
        else "TRADEWIND_SASL_USERNAME and TRADEWIND_SASL_PASSWORD"
    )
    return UserError(
        f"the broker at {server} doesn't let this user in by {settings.sasl_mechanism}: check {named}, and whether "
        "that is the TRADEWIND_SASL_MECHANISM it wants"
    )
