"""A broker where everybody has to show who they are, by any of the ways that there are, and may do what is granted."""

import datetime as dt
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from infra.acls import Right
from infra.broker import config, server
from tests.chaos.own_broker import OwnBroker, running

PASSWORD: Final = "of-a-broker-that-lives-as-long-as-the-test"  # noqa: S105
KEY_PASSWORD: Final = "of-a-key-that-lives-as-long-as-the-test"  # noqa: S105
PATIENCE_S: Final = 30.0
USERS: Final = ("plain", "scram256", "scram512", "bearer", "certified")
_KINDS: Final = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional id": ResourceType.TRANSACTIONAL_ID,
}
_UNSECURED: Final = "org.apache.kafka.common.security.oauthbearer.internals.unsecured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Certificates, in PEM form: who signs, the broker's own with its key, and a client's with an encrypted key."""

    authority: Path
    stranger: Path  # another authority, which signed nothing here
    broker: Path
    client: Path
    client_key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    """The broker's doors by the name of who comes in there, and the papers. `address` is the administrator's."""

    broker: OwnBroker
    doors: dict[str, str]
    papers: Papers

    @property
    def address(self) -> str:
        return self.broker.address

    def settings(self, user: str, token: Path) -> dict[str, str]:
        """What a program is told so that it comes in as this user."""
        own = {
            "plain": {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"},
            "scram256": {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-256"},
            "scram512": {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512"},
            "bearer": {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "OAUTHBEARER",
                "oauth_token_file": str(token),
            },
            "certified": {
                "security_protocol": "SSL",
                "ssl_certfile": str(self.papers.client),
                "ssl_keyfile": str(self.papers.client_key),
                "ssl_password": KEY_PASSWORD,
            },
        }[user]
        if user in {"plain", "scram256", "scram512"}:
            own |= {"sasl_username": user, "sasl_password": PASSWORD}
        if own["security_protocol"].endswith("SSL"):
            own["ssl_cafile"] = str(self.papers.authority)
        return {"bootstrap_servers": self.doors[user], **own}


@contextmanager
def strict(folder: Path) -> Generator[Strict]:
    """A broker with a door for each way of coming in; nobody but the administrator may do anything yet."""
    papers = _papers(folder)
    ports = {name: server.free_port() for name in ("PLAINDOOR", "SCRAMDOOR", "BEARERDOOR", "CERTDOOR")}
    with running(folder / "broker", _addition(ports, papers)) as broker:
        door = {name: f"localhost:{port}" for name, port in ports.items()}
        doors = {
            "plain": door["PLAINDOOR"],
            "scram256": door["SCRAMDOOR"],
            "scram512": door["SCRAMDOOR"],
            "bearer": door["BEARERDOOR"],
            "certified": door["CERTDOOR"],
        }
        _enrol(broker.address)
        yield Strict(broker=broker, doors=doors, papers=papers)


def principal(user: str) -> str:
    """By what name the broker knows who came in."""
    return "User:CN=certified" if user == "certified" else f"User:{user}"


def grant(address: str, user: str, rights: Iterable[Right]) -> None:
    """Allow a user these, and wait until the broker knows: what the controller has noted reaches it a little later."""
    wanted = {_acl(user, right) for right in rights}
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    with _admin(address) as client:
        assert client.create_acls(list(wanted))["failed"] == []
        end = time.monotonic() + PATIENCE_S
        told = ACLFilter(principal(user), None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
        while wanted - set(client.describe_acls(told)[0]):
            assert time.monotonic() < end, "the broker never heard of the rights"
            time.sleep(0.05)


def withdraw(address: str, user: str, right: Right) -> None:
    """Take one right back."""
    one = _acl(user, right)
    pattern = ResourcePatternFilter(one.resource_pattern.resource_type, right.name, one.resource_pattern.pattern_type)
    with _admin(address) as client:
        done = client.delete_acls([ACLFilter(one.principal, "*", one.operation, ACLPermissionType.ALLOW, pattern)])
        assert len(done[0][1]) == 1, done


@contextmanager
def _admin(address: str) -> Generator[Any]:
    client: Any = KafkaAdminClient(bootstrap_servers=address)
    try:
        yield client
    finally:
        client.close()


def _acl(user: str, right: Right) -> ACL:
    pattern = ResourcePattern(_KINDS[right.kind], right.name, ACLResourcePatternType[right.pattern.upper()])
    return ACL(principal(user), "*", ACLOperation[right.operation], ACLPermissionType.ALLOW, pattern)


def _enrol(address: str) -> None:
    kinds: Any = import_module("kafka.admin")  # which these two are not typed in
    mechanisms = {"scram256": kinds.ScramMechanism.SCRAM_SHA_256, "scram512": kinds.ScramMechanism.SCRAM_SHA_512}
    with _admin(address) as client:
        done = client.alter_user_scram_credentials(
            [kinds.UserScramCredentialUpsertion(user, how, PASSWORD) for user, how in mechanisms.items()]
        )
        assert not any(done.values()), done


def _addition(ports: dict[str, int], papers: Papers) -> config.Addition:
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    kinds = {"PLAINDOOR": "SASL_PLAINTEXT", "SCRAMDOOR": "SASL_SSL", "BEARERDOOR": "SASL_SSL", "CERTDOOR": "SSL"}
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **kinds}
    return config.Addition(
        listeners=tuple(f"{name}://localhost:{port}" for name, port in ports.items()),
        properties={
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(papers.broker),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(papers.authority),
            "listener.name.certdoor.ssl.client.auth": "required",
            "listener.name.plaindoor.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.plaindoor.plain.sasl.jaas.config": (
                f'org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="{PASSWORD}";'
            ),
            "listener.name.scramdoor.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.scramdoor.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.scramdoor.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.bearerdoor.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.bearerdoor.oauthbearer.sasl.jaas.config": (
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
            ),
            "listener.name.bearerdoor.oauthbearer.sasl.server.callback.handler.class": (
                f"{_UNSECURED}.OAuthBearerUnsecuredValidatorCallbackHandler"
            ),
        },
    )


# ---- Certificates ----------------------------------------------------------------------------------------------------


def _papers(folder: Path) -> Papers:
    made = Papers(
        authority=folder / "authority.pem",
        stranger=folder / "stranger.pem",
        broker=folder / "broker.pem",
        client=folder / "client.pem",
        client_key=folder / "client-key.pem",
    )
    signer = ec.generate_private_key(ec.SECP256R1())
    authority = _signed("authority", signer.public_key(), "authority", signer, is_authority=True)
    made.authority.write_bytes(_pem(authority))
    other = ec.generate_private_key(ec.SECP256R1())
    made.stranger.write_bytes(_pem(_signed("stranger", other.public_key(), "stranger", other, is_authority=True)))
    own = ec.generate_private_key(ec.SECP256R1())
    made.broker.write_bytes(_key(own) + _pem(_signed("localhost", own.public_key(), "authority", signer)))
    theirs = ec.generate_private_key(ec.SECP256R1())
    made.client.write_bytes(_pem(_signed("certified", theirs.public_key(), "authority", signer)))
    made.client_key.write_bytes(_key(theirs, KEY_PASSWORD))
    return made


def _signed(
    name: str,
    key: ec.EllipticCurvePublicKey,
    by: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(by))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    if not is_authority:
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return made.sign(signer, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey, password: str = "") -> bytes:
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
