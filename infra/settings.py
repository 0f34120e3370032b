"""Every setting by name, with its bounds: from the environment (`TRADEWIND_*`), then a TOML file, then the default."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from infra.errors import UserError
from infra.names import Names, check_apart, cluster_name, names_of
from infra.trials import trials_of
from policies.experiment import Experiment

PREFIX: Final = "TRADEWIND_"
CONFIG: Final = "TRADEWIND_CONFIG"
DEFAULT_CONFIG: Final = "tradewind.toml"
LEAST_KEY: Final = 16  # characters
_USERINFO: Final = re.compile(r"//[^/\s]*@")  # a password may stand in an address; it is refused there, and not shown

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)]


class Settings(BaseSettings):
    """What can be set. Immutable once loaded; `load` is the way to get one."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap_servers: str = Field(
        default="localhost:9092", description="the Kafka brokers, host:port, separated by commas"
    )
    prefix: Name = Field(
        default="", description="put before the name of every topic; letters, digits, dot, dash, underscore"
    )
    topics: Annotated[Names, NoDecode] = Field(
        default_factory=dict[str, str],
        description="other names of single topics, without the prefix: user-events=shop.clicks,orders=shop.orders; "
        "a table in the file",
    )
    mapping: Path | None = Field(
        default=None, description="a file that says how your own messages become these records (docs/own-events.md)"
    )
    cloud_events: Literal["off", "actions", "all"] = Field(
        default="actions", description="which outgoing records carry the attributes of CloudEvents in their headers"
    )
    schema_registry_url: Annotated[str, Field(pattern=r"^https?://[^@\s]+$")] | None = Field(
        default=None, description="a schema registry: what subscribers read is then framed with the id of its schema"
    )
    schema_registry_user: str | None = Field(default=None, description="the user at the schema registry")
    schema_registry_password: SecretStr | None = Field(default=None, description="the password at the schema registry")
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
    experiments: Annotated[tuple[Experiment, ...], NoDecode] = Field(
        default=(),
        description="which versions are tried on whom (docs/experiments.md): tables in the file, JSON here",
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
    ssl_certfile: Path | None = Field(
        default=None, description="this client's own certificate, in PEM form, where the brokers ask for one"
    )
    ssl_keyfile: Path | None = Field(
        default=None, description="its private key, in PEM form; left out where it is in the certificate's file"
    )
    ssl_password: SecretStr | None = Field(default=None, description="what the private key's file is encrypted with")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        default="PLAIN", description="how to log in"
    )
    sasl_username: str | None = Field(default=None, description="the user to log in as")
    sasl_password: SecretStr | None = Field(default=None, description="the password to log in with")
    oauth_token: SecretStr | None = Field(
        default=None, description="a bearer token to log in with (OAUTHBEARER), where it never has to be renewed"
    )
    oauth_token_file: Path | None = Field(
        default=None, description="a file with the bearer token, read anew whenever a connection is made"
    )
    oauth_token_url: Annotated[str, Field(pattern=r"^https?://[^@\s]+$")] | None = Field(
        default=None, description="where a bearer token is to be had for the client's id and secret"
    )
    oauth_client_id: str | None = Field(default=None, description="the client's id at oauth_token_url")
    oauth_client_secret: SecretStr | None = Field(default=None, description="the client's secret at oauth_token_url")
    oauth_scope: str | None = Field(default=None, description="the scope to ask for at oauth_token_url")
    user_key: SecretStr | None = Field(
        default=None,
        description="with it users are known by pseudonyms only, a keyed hash of their id; never change it in use",
    )
    dashboard_token: SecretStr | None = Field(
        default=None, description="who knows it can promote, roll back and forget on the dashboard's page"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least that is logged"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="how: a line for people, or a JSON object a line"
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="where a worker or learner answers /metrics, /livez and /readyz; 0 takes any free port",
    )
    metrics_address: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1",
        description="the address it answers at: who reaches it needs no password, so it is this machine's alone",
    )
    otlp_endpoint: Annotated[str, Field(pattern=r"^https?://[^@\s]+$")] | None = Field(
        default=None, description="an OpenTelemetry collector (http://host:4318) that gets spans of sampled traces"
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _host_and_port(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65_536:
                raise ValueError(f"{server.strip()!r} is not host:port")
        return servers

    @field_validator("user_key")
    @classmethod
    def _hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < LEAST_KEY:
            raise ValueError(f"has fewer than {LEAST_KEY} characters: set a longer one")
        return key

    @field_validator("topics", mode="before")
    @classmethod
    def _topic_names(cls, given: object) -> Names:
        return names_of(given)

    @field_validator("experiments", mode="before")
    @classmethod
    def _experiments(cls, given: object) -> tuple[Experiment, ...]:
        return trials_of(given)

    @model_validator(mode="after")
    def _names_apart(self) -> Self:
        check_apart(self.prefix, self.topics)
        return self

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

        >>> Settings(prefix="eu.", topics={"user-events": "shop.clicks"}).topic("orders")
        'eu.orders'
        >>> Settings(prefix="eu.", topics={"user-events": "shop.clicks"}).topic("user-events")
        'shop.clicks'
        """
        return cluster_name(name, self.prefix, self.topics)

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


def _is_secret(name: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[name].annotation)


def _explain(problem: Any) -> str:
    if not problem["loc"]:  # what two settings say together
        return str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        known = ", ".join(sorted(Settings.model_fields))
        return f"there is no setting {name!r} (in {_config_file() or 'the call'}): use one of {known}"
    shown = "" if _is_secret(name) else f" is {_USERINFO.sub('//…@', repr(problem['input']))}:"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}{shown} {reason[:1].lower()}{reason[1:]} ({field.description})"
