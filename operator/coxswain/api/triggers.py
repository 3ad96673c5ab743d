"""What fires a Schedule from outside: a webhook, or a page that changed. And what came in, as rows.

``coxswain.store.triggers`` and ``coxswain.store.polls`` read and write the rows;
``docs/webhooks.md`` is the page for people.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from coxswain.api.meta import WITHOUT_NUL, LocalReference, Model, Rule

Scheme = Literal["StandardWebhooks", "GitHub", "HMAC"]
Source = Literal["Webhook", "Poll"]

SIGNATURE_HEADER = "X-Signature-256"
SCHEMA_CHARACTERS = 16_384


class Webhook(Model):
    """Requests from outside that fire, each once; they come in at /v1/hooks/NAMESPACE/NAME."""

    RULES: ClassVar = (
        Rule(
            "!has(self.signatureHeader) || self.scheme == 'HMAC'",
            "signatureHeader is for the scheme HMAC; the others have theirs",
            lambda self: self.signature_header is None or self.scheme == "HMAC",
        ),
    )

    secret_ref: LocalReference
    """Secret of type coxswain.dev/channel in the same namespace, with key and, while it is replaced,
    previousKey."""
    scheme: Scheme
    """How requests are signed: as Standard Webhooks, as GitHub does, or by a bare HMAC-SHA-256 of the
    body."""
    signature_header: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z][-A-Za-z0-9]*$")
        ]
        | None
    ) = None
    """Header with the signature of the scheme HMAC, in hexadecimal or base64; none means
    X-Signature-256."""
    body_schema: (
        Annotated[
            str,
            StringConstraints(min_length=2, max_length=SCHEMA_CHARACTERS, pattern=WITHOUT_NUL),
        ]
        | None
    ) = None
    """JSON Schema, as text, that each body has to fit; none takes any JSON."""
    replay_window_seconds: Annotated[int, Field(ge=10, le=604_800)] = 300
    """How far the signed time of a request may be off. Where none is signed (GitHub, HMAC): for how
    long the same body counts once."""


class Poll(Model):
    """A page that is fetched from time to time; a change of its content fires."""

    url: Annotated[
        str,
        StringConstraints(
            min_length=9, max_length=2048, pattern=r'^https?://[A-Za-z0-9._:-]+([/?][!-"$-~]*)?$'
        ),
    ]
    """What is fetched: at a host that the installation allows for polls."""
    interval_seconds: Annotated[int, Field(ge=10, le=2_592_000)]
    """Time between two looks; after failures it grows, up to an hour or this interval."""


@dataclass(frozen=True)
class NewTrigger:
    """What a gateway has taken in for a Schedule."""

    schedule_uid: str
    workspace: str
    schedule_name: str
    source: Source
    delivery_id: str
    """How the sender names it; of a poll, the digest of the content."""
    digest: str
    """sha256: and the digest of the body or page in hexadecimal."""
    body: str | None = None
    """JSON text; None of a poll."""


@dataclass(frozen=True)
class Trigger:
    """The same as a row, without its body. ``received_at`` is by the database's clock."""

    id: UUID
    schedule_uid: str
    source: Source
    delivery_id: str
    digest: str
    received_at: datetime


@dataclass(frozen=True)
class Remembered:
    """A key under which a delivery is known again, and for how long."""

    key: str
    seconds: int


@dataclass(frozen=True)
class PollState:
    """How the last look at a page went."""

    url: str = ""
    digest: str = ""
    """Of the content; empty before the first."""
    failures: int = 0
    """Looks that failed in a row."""
    error: str = ""
    """Why the last one did, in one word; empty where it did not."""
    checked_at: datetime | None = None


@dataclass(frozen=True)
class ClaimedPoll:
    """A page that this process may look at once, until its claim runs out."""

    schedule_uid: str
    workspace: str
    schedule_name: str
    claim: UUID
    spec: dict[str, Any]
    """The Schedule's spec as stored."""
    state: PollState


@dataclass(frozen=True)
class Looked:
    """What came of a look, and when the next one is due."""

    state: PollState
    wait_seconds: float
    fires: bool = False
