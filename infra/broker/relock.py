"""Writes jars.lock anew: what Kafka needs at run time, resolved by jgo. A maintainer's tool, `make lock`."""

from hashlib import sha256
from typing import Final

import jgo

from infra.broker.jars import KAFKA_VERSION, LOCK

# slf4j-simple gives the broker a log: Kafka ships the interface alone. Its version is that of Kafka's slf4j-api.
ENDPOINT: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
_HEADER: Final = f"# sha256 and coordinates of what {ENDPOINT} needs; written by `make lock`.\n"


def main() -> None:
    artifacts = jgo.resolve(ENDPOINT)
    lines = sorted(
        f"{a.groupId}:{a.artifactId}:{a.version} {sha256(a.resolve().read_bytes()).hexdigest()}" for a in artifacts
    )
    LOCK.write_text(_HEADER + "".join(f"{digest} {name}\n" for name, digest in map(str.split, lines)), encoding="utf-8")


if __name__ == "__main__":
    main()
