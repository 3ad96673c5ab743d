"""Every setting of every process, one model per process. ``configuration`` reads them."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from coxswain import names
from coxswain.alert_settings import AlertSettings
from coxswain.configuration import Contradiction as Contradiction
from coxswain.configuration import MeasuredSettings as MeasuredSettings
from coxswain.configuration import Settings as Settings
from coxswain.configuration import TracedSettings
from coxswain.configuration import load as load
from coxswain.people_settings import PeopleSettings
from coxswain.rate_settings import RateSettings
from coxswain.reading_settings import ReadingSettings
from coxswain.sandbox_settings import SandboxSettings as SandboxSettings
from coxswain.tls_settings import OF_SERVERS as OF_SERVERS
from coxswain.tls_settings import PORTS_APART, DoorTlsSettings, TlsSettings

Port = Annotated[int, Field(ge=0, le=65535)]
Installation = Annotated[str, Field(max_length=63, pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
QueueName = Annotated[
    str, Field(min_length=1, max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
Jobs = Annotated[int, Field(ge=1, le=100_000)]
Weight = Annotated[int, Field(ge=1, le=100)]


class StoreSettings(Settings):
    """A process that talks to Postgres."""

    database_dsn: SecretStr
    """postgresql:// address with user and password of this process's role."""
    database_pool: Annotated[int, Field(ge=2, le=100)] = 8
    """Most connections that this process opens, the listening one not counted."""
    mode: Literal["dev", "prod"]
    """dev or prod, without a default: prod refuses every part that is there for a first try; docs/production.md
    lists them."""


class MigrateSettings(StoreSettings):
    """The init container that brings the database to this version's schema, with the owner's DSN."""

    migrate_wait_seconds: Annotated[int, Field(ge=1, le=3600)] = 300
    """How long to wait for a database that does not answer yet."""
    operator_password: SecretStr | None = None
    """Lets the role coxswain_operator log in with this password; none leaves the role alone."""
    sidecar_password: SecretStr | None = None
    """The same for coxswain_sidecar."""
    gateway_password: SecretStr | None = None
    """The same for coxswain_gateway."""


class ServerSettings(StoreSettings, MeasuredSettings, DoorTlsSettings):
    """A process that answers HTTP."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = OF_SERVERS

    bind: str = "0.0.0.0"  # noqa: S104 - a pod's own address; NetworkPolicy decides who reaches it
    """Address to listen on."""
    port: Port = 8080
    """Port for users and agents."""
    health_port: Port = 9090
    """Port for /metrics, /healthz and /readyz."""
    kubeconfig: Path | None = None
    """Kubeconfig file; none means the pod's own account."""
    installation: Installation
    """Names this installation among others in the cluster; part of the token audience."""


class FairnessSettings(Settings):
    """Whose Jobs run when not all can: see docs/queues.md."""

    workspace_weights: Annotated[dict[str, Weight], Field(max_length=10_000)] = {}
    """Shares of workspaces as JSON, such as {"demo": 2}; a workspace that is not named has 1."""


class KeySettings(Settings):
    """A process that gives out idempotency keys."""

    idempotency_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 604_800
    """How long an idempotency key stands for its Job, from its first use by the database's clock."""


Endpoint = Annotated[str, Field(max_length=512, pattern=r"^(https?://[^\s/?#@]+/?)?$")]

_PART = r"\.*[-_A-Za-z0-9][-_.A-Za-z0-9]*"
Prefix = Annotated[str, Field(max_length=200, pattern=rf"^({_PART}/)*({_PART})?$")]


class ArtifactSettings(Settings):
    """Where files of runs are kept; part of the sidecar's settings."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_ARTIFACTS_BUCKET, COXSWAIN_ARTIFACTS_ENDPOINT, COXSWAIN_ARTIFACTS_ACCESS_KEY_ID,"
            " COXSWAIN_ARTIFACTS_SECRET_ACCESS_KEY: a bucket needs all four; give all, or none",
            lambda self: (
                len(
                    {
                        bool(self.artifacts_bucket),
                        bool(self.artifacts_endpoint),
                        bool(self.artifacts_access_key_id),
                        bool(self.artifacts_secret_access_key),
                    }
                )
                > 1
            ),
        ),
    )

    artifacts_bucket: Annotated[str, Field(max_length=63, pattern=r"^([a-z0-9][-.a-z0-9]+)?$")] = ""
    """Bucket of an S3-compatible store for files of runs; none keeps them in Postgres."""
    artifacts_endpoint: Endpoint = ""
    """Address of that store, such as https://s3.eu-central-1.amazonaws.com."""
    artifacts_region: Annotated[str, Field(max_length=64, pattern="^[-a-z0-9]+$")] = "us-east-1"
    """Region that requests are signed for."""
    artifacts_path_style: bool = True
    """Whether the bucket's name is in the path of its address, or else in the host's name."""
    artifacts_prefix: Prefix = "coxswain/"
    """How the keys of all objects begin; none of its parts is empty or made of dots alone."""
    artifacts_access_key_id: SecretStr | None = None
    """Who asks."""
    artifacts_secret_access_key: SecretStr | None = None
    """What requests are signed with."""


class SidecarSettings(
    ServerSettings,
    TracedSettings,
    FairnessSettings,
    KeySettings,
    ArtifactSettings,
    PeopleSettings,
    AlertSettings,
    TlsSettings,
    RateSettings,
):
    """The sidecar API."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        *OF_SERVERS,
        *ArtifactSettings.CONTRADICTIONS,
        *PeopleSettings.CONTRADICTIONS,
        *TlsSettings.CONTRADICTIONS,
        PORTS_APART,
        Contradiction(
            "COXSWAIN_MODE, COXSWAIN_PEOPLE: mode=prod knows who is calling, and people=local does not;"
            " say oidc or kubernetes",
            lambda self: self.mode == "prod" and self.people == "local",
        ),
        Contradiction(
            "COXSWAIN_MODE, COXSWAIN_LOCAL_TOKEN_KEPT: mode=prod takes no token that may do everything"
            " in nobody's name; do not keep it",
            lambda self: self.mode == "prod" and self.local_token_kept,
        ),
    )

    account_folder: Path | None = None
    """Folder where the operator puts this process's own token; none means the pod's own account."""
    streams: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Live streams that one process serves at the same time."""


Domain = Annotated[
    str,
    Field(max_length=255, pattern=r"^(\*\.)?[A-Za-z0-9_]([-A-Za-z0-9_]*)(\.[-A-Za-z0-9_]+)*$"),
]
Origin = Annotated[
    str, Field(max_length=300, pattern=r"^https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?/?$")
]


class CallbackSettings(Settings):
    """What is told outside when a Job has ended, and to whom; part of the egress gateway's settings."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_CALLBACKS_SIGNING, COXSWAIN_CALLBACKS_SIGNING_SECRET: a Secret is named and"
            " nothing is signed with it; switch signing on, or name none",
            lambda self: bool(self.callbacks_signing_secret) and not self.callbacks_signing,
        ),
        Contradiction(
            "COXSWAIN_CALLBACKS_ORIGINS, COXSWAIN_CALLBACKS_ALLOWED_DOMAINS: an origin is listed and"
            " no domain is allowed; allow its host too",
            lambda self: bool(self.callbacks_origins) and not self.callbacks_allowed_domains,
        ),
    )

    callbacks_enabled: bool = True
    """Whether anything is told; where not, each callback is skipped with the reason Disabled."""
    callbacks_allowed_domains: Annotated[list[Domain], Field(max_length=1000)] = []
    """Hosts that may be told, each by its name or, with *. before it, all below it; none denies all."""
    callbacks_origins: Annotated[list[Origin], Field(max_length=1000)] = []
    """Origins such as http://hooks.internal:8080 that may be unencrypted, at another port than 443, or at
    a private address. Their hosts must be allowed too."""
    callbacks_signing: bool = True
    """Whether a callback must be signed; one of a Job that names a Secret always is."""
    callbacks_signing_secret: Annotated[str, Field(max_length=253)] = ""
    """Name of the Secret in a Job's workspace for Jobs that name none."""
    callbacks_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15
    """How long a receiver may take to answer."""
    callbacks_tries: Annotated[int, Field(ge=1, le=50)] = 12
    """How often a callback is tried before it is dead."""
    callbacks_total_seconds: Annotated[int, Field(ge=1, le=604800)] = 86400
    """How long after its first try it is tried again."""
    callbacks_per_host: Annotated[int, Field(ge=1, le=64)] = 4
    """Exchanges with one host at the same time, per replica."""


class LimitSettings(Settings):
    """What stops Jobs that make each other without an end; part of the operator's settings."""

    max_lineage_depth: Annotated[int, Field(ge=1, le=1000)] = 8
    """Jobs that may come from each other, one after the other."""
    max_jobs_from_one: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Jobs that are there at the same time and come from the same one."""


class QueueSettings(FairnessSettings):
    """How much may run at once, and how fast Schedules may add to it; part of the operator's settings."""

    default_queues: Annotated[list[QueueName], Field(min_length=1, max_length=32)] = [
        names.DEFAULT_QUEUE
    ]
    """Queues whose Jobs an Agent takes that names none, as JSON."""
    concurrent_jobs: Jobs | None = None
    """Jobs that run at the same time in the whole installation; none bounds nothing."""
    concurrent_jobs_per_workspace: Jobs | None = None
    """Jobs that run at the same time in each workspace; none bounds nothing."""
    concurrent_jobs_by_workspace: Annotated[dict[str, Jobs], Field(max_length=10_000)] = {}
    """The same for single workspaces, as JSON, such as {"demo": 10}."""
    concurrent_jobs_by_queue: Annotated[dict[QueueName, Jobs], Field(max_length=1000)] = {}
    """Jobs that run at the same time in a queue, over all workspaces, as JSON."""
    schedules_enabled: bool = True
    """Whether any tick makes a Job; where not, ticks are skipped with the reason SwitchedOff."""
    schedules_per_second: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Jobs that all Schedules together make at once, and then in each second; ticks beyond wait."""


Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionSettings(Settings):
    """How long records stay, by the database's clock."""

    deliveries_kept_days: Days = 30
    """Callbacks and their tries: from their end, if their Job is gone too."""
    records_kept_days: Days = 365
    """Jobs and Agents that are gone, with runs, results, artifacts and approvals: from then on.
    Usage: from the call. Ticks of Schedules: from their outcome."""
    audit_kept_days: Days | None = None
    """Rows of the audit log, by whole seals, from their sealing on; none keeps them for ever."""
    events_kept_days: Annotated[int, Field(ge=7, le=36_500)] | None = None
    """The event log, by whole days (UTC) from their end, with all messages; none keeps it for ever."""


class OperatorSettings(
    StoreSettings,
    MeasuredSettings,
    TracedSettings,
    SandboxSettings,
    QueueSettings,
    LimitSettings,
    KeySettings,
    RetentionSettings,
    ReadingSettings,
):
    """The operator."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_API_SERVICE, COXSWAIN_MODELS_SERVICE, COXSWAIN_EGRESS_SERVICE: two doors are"
            " the same Service; name the one of each",
            lambda self: len({self.api_service, self.models_service, self.egress_service}) < 3,
        ),
        Contradiction(
            "COXSWAIN_MODE, COXSWAIN_AUDIT_KEY_FILE: mode=prod seals the audit log; name the file with"
            " the key",
            lambda self: self.mode == "prod" and self.audit_key_file is None,
        ),
    )

    bind: str = "0.0.0.0"  # noqa: S104 - a pod's own address; NetworkPolicy decides who reaches it
    """Address to listen on."""
    health_port: Port = 9091
    """Port for /metrics, /healthz and /readyz."""
    kubeconfig: Path | None = None
    """Kubeconfig file; none means the pod's own account."""
    installation: Installation
    """Names this installation among others in the cluster; a label of its pods."""
    namespace: Annotated[str, Field(min_length=1, max_length=63)]
    """Where the platform itself runs: its lease, its Services, the sidecar's account."""
    identity: Annotated[str, Field(min_length=1, max_length=253)]
    """Who this process is in the election; the pod's name."""
    lease_name: Annotated[str, Field(min_length=1, max_length=63)] = "coxswain-operator"
    """The coordination lease that the replicas elect by."""
    lease_seconds: Annotated[int, Field(ge=3, le=60)] = 15
    """How long a silent leader keeps its place; less hands over sooner and renews more often."""
    lock_file: Path | None = None
    """File of this pod that the process locks: one that was killed and started again leads at once. None: it waits
    until its own former lease has run out."""
    api_service: Annotated[str, Field(min_length=1, max_length=63)] = "coxswain-api"
    """Service of the platform door."""
    models_service: Annotated[str, Field(min_length=1, max_length=63)] = "coxswain-models"
    """Service of the model door."""
    egress_service: Annotated[str, Field(min_length=1, max_length=63)] = "coxswain-egress"
    """Service of the web door."""
    doors_ca_file: Path | None = None
    """Certificates that the three doors' are signed by, as PEM: agents trust them and no other, and come over
    TLS. None: the doors are plain."""
    sidecar_account: Annotated[str, Field(min_length=1, max_length=253)] = "coxswain-sidecar"
    """Account whose token the sidecar gets."""
    sidecar_account_folder: Path | None = None
    """Where that token is wanted; none hands over nothing."""
    audit_key_file: Path | None = None
    """File with the key that seals the audit log, docs/audit.md; none seals nothing."""
    network_probe: bool = True
    """Find out by a probe pod in each workspace whether the cluster enforces NetworkPolicy."""
    workers: Annotated[int, Field(ge=1, le=256)] = 32
    """Passes at the same time."""


Url = Annotated[str, Field(max_length=512, pattern=r"^https?://[^\s?#@]+$")]


class ModelGatewaySettings(ServerSettings, TracedSettings):
    """The model gateway."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        *OF_SERVERS,
        Contradiction(
            "COXSWAIN_PROVIDER_SILENCE_SECONDS, COXSWAIN_PROVIDER_TOTAL_SECONDS: a provider may be"
            " silent for longer than a whole call may take; make silence the shorter one",
            lambda self: self.provider_silence_seconds > self.provider_total_seconds,
        ),
        Contradiction(
            "COXSWAIN_MODE, COXSWAIN_DEMO_PROVIDER: mode=prod has no provider that makes its answers up;"
            " switch it off",
            lambda self: self.mode == "prod" and self.demo_provider,
        ),
    )

    port: Port = 8081
    """Port for agents."""
    demo_provider: bool = True
    """Whether Agents may name the demo provider."""
    provider_base_urls: Annotated[list[Url], Field(max_length=256)] = []
    """Base URLs that may be called without a Secret, unencrypted, or at a private address."""
    provider_silence_seconds: Annotated[float, Field(gt=0, le=3600)] = 120
    """How long a provider may say nothing before a call is given up."""
    provider_total_seconds: Annotated[float, Field(gt=0, le=3600)] = 600
    """How long one call may take in all."""
    verdict_poll_seconds: Annotated[float, Field(gt=0, le=60)] = 1
    """Time between two looks for Agents that have changed."""
    verdict_recheck_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    """Time between two checks of an Agent that is not ready."""


Network = Annotated[str, Field(max_length=64)]


class EgressGatewaySettings(ServerSettings, CallbackSettings):
    """The egress gateway: the web door, and what sends callbacks."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        *OF_SERVERS,
        *CallbackSettings.CONTRADICTIONS,
        Contradiction(
            "COXSWAIN_EGRESS_IDLE_SECONDS, COXSWAIN_EGRESS_TOTAL_SECONDS: a connection may be"
            " silent for longer than it may last in all; make silence the shorter one",
            lambda self: self.egress_idle_seconds > self.egress_total_seconds,
        ),
        Contradiction(
            "COXSWAIN_EGRESS_CONNECTIONS, COXSWAIN_EGRESS_CONNECTIONS_PER_RUN: one run may have more"
            " connections than there may be at all; make its own the smaller number",
            lambda self: self.egress_connections_per_run > self.egress_connections,
        ),
    )

    port: Port = 8082
    """Port for agents."""
    egress_allowed_networks: Annotated[list[Network], Field(max_length=256)] = []
    """Addresses and networks that are not public and may be reached all the same, if an Agent lists them."""
    egress_nat64_prefixes: Annotated[list[Network], Field(max_length=16)] = []
    """Prefixes of this network's own NAT64, so that private addresses behind it are known as such."""
    egress_connections: Annotated[int, Field(ge=1, le=20_000)] = 2_000
    """Connections that one process serves at the same time."""
    egress_connections_per_run: Annotated[int, Field(ge=1, le=1_000)] = 64
    """Connections of one run at the same time, through one process."""
    egress_idle_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300
    """How long a connection may be silent before it is cut."""
    egress_total_seconds: Annotated[float, Field(gt=0, le=604_800)] = 3_600
    """How long one connection may last in all."""
    egress_recheck_seconds: Annotated[float, Field(gt=0, le=60)] = 3
    """How often it is asked whether the runs of open connections are over."""
