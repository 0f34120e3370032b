"""Every setting by name, with its bounds: from the environment (`TRADEWIND_*`), then a TOML file, then the default."""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from infra.errors import UserError

PREFIX: Final = "TRADEWIND_"
CONFIG: Final = "TRADEWIND_CONFIG"
DEFAULT_CONFIG: Final = "tradewind.toml"

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)]


class Settings(BaseSettings):
    """What can be set. Immutable once loaded; `load` is the way to get one."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    bootstrap_servers: str = Field(
        default="localhost:9092", description="the Kafka brokers, host:port, separated by commas"
    )
    prefix: Name = Field(
        default="", description="put before the name of every topic; letters, digits, dot, dash, underscore"
    )
    application_id: Annotated[Name, Field(min_length=1)] = Field(
        default="tradewind",
        description="names the consumer group, the transactions and the state: change it to start afresh",
    )
    group_instance_id: Name | None = Field(
        default=None, description="a name of this worker's own that outlives a restart: spares the group a rebalance"
    )
    partitions: int = Field(default=4, ge=1, le=1000, description="partitions of the topics that are created")
    replication_factor: int = Field(
        default=1, ge=-1, le=10, description="replicas of the topics that are created; -1 leaves it to the brokers"
    )
    batch_max_records: int = Field(
        default=2000, ge=1, le=100_000, description="records in one step and transaction, at most"
    )
    batch_max_age_ms: float = Field(
        default=5,
        ge=0,
        le=10_000,
        description="how long the first record of a batch may wait: less is faster, more is cheaper",
    )
    state_dir: Path = Field(
        default=Path(".tradewind/state"),
        description="where state is kept beside the changelog, so that a restart needn't read all of it",
    )
    hot_state_mb: int = Field(
        default=64, ge=1, le=100_000, description="state that is kept ready in memory; it takes several times as much"
    )
    max_record_bytes: int = Field(
        default=1_000_000, ge=100, le=50_000_000, description="the largest record that is written"
    )
    refresh_interval_minutes: float = Field(
        default=60, gt=0, le=100_000, description="event time between two unasked slates of one user"
    )
    attribution_window_hours: float = Field(
        default=24, gt=0, le=10_000, description="event time for feedback to find its decision"
    )
    review_hours: float = Field(
        default=24, gt=0, le=10_000, description="event time between two reviews of one SKU's stock"
    )
    learner_cpu_share: float = Field(
        default=0.5, ge=0.01, le=1, description="the share of one processor core that `tradewind learner` may use"
    )
    idle_timeout_s: float = Field(
        default=10, gt=0, le=86_400, description="a partition silent for so long takes its time from its neighbours"
    )
    session_timeout_s: float = Field(
        default=10, ge=1, le=300, description="a silent worker's partitions move on after it"
    )
    stall_timeout_s: float = Field(
        default=60, ge=1, le=3600, description="a worker whose partition stands still for it, while its log grows, ends"
    )
    transaction_timeout_s: float = Field(
        default=15, ge=2, le=900, description="the broker aborts a transaction after it"
    )
    start_timeout_s: float = Field(
        default=8, gt=0, le=600, description="how long to wait for the first answer of a broker"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how to talk to the brokers"
    )
    ssl_cafile: Path | None = Field(default=None, description="the certificate authority's file, in PEM form")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="how to log in"
    )
    sasl_username: str | None = Field(default=None, description="the user to log in as")
    sasl_password: SecretStr | None = Field(default=None, description="the password to log in with")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least that is logged"
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _host_and_port(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65_536:
                raise ValueError(f"{server.strip()!r} is not host:port")
        return servers

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 # pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, _config_file())
        return init_settings, env_settings, file

    @property
    def servers(self) -> list[str]:
        """The brokers as a list of host:port."""
        return [server.strip() for server in self.bootstrap_servers.split(",")]

    def topic(self, name: str) -> str:
        """The name a topic has on the cluster.

        >>> Settings(prefix="eu.").topic("orders")
        'eu.orders'
        """
        return self.prefix + name

    @property
    def identity(self) -> str:
        """What group, transactions and state are named by: two installations on one cluster never share it."""
        return self.prefix + self.application_id


def load(**overrides: Any) -> Settings:
    """The settings, `overrides` first; those that are None don't count. Raises UserError, one sentence."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise UserError("; ".join(_explain(problem) for problem in error.errors())) from error
    except ValueError as error:  # the TOML file doesn't parse
        raise UserError(f"{CONFIG}: {_config_file()} is not valid TOML: {error}") from error


def _config_file() -> Path | None:
    named = os.environ.get(CONFIG)
    if named and not Path(named).is_file():
        raise UserError(f"{CONFIG} names {named!r}, and there is no such file: correct the path or unset it")
    path = Path(named or DEFAULT_CONFIG)
    return path if path.is_file() else None


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    field = Settings.model_fields.get(name)
    if field is None:
        known = ", ".join(sorted(Settings.model_fields))
        return f"there is no setting {name!r} (in {_config_file() or 'the call'}): use one of {known}"
    shown = "" if "password" in name else f" is {problem['input']!r}:"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}{shown} {reason[:1].lower()}{reason[1:]} ({field.description})"
