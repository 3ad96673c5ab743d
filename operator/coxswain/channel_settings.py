"""The settings of the channel gateway; read as those of ``settings`` are."""

from typing import Annotated, ClassVar

from pydantic import Field

from coxswain.configuration import Contradiction, TracedSettings
from coxswain.settings import ONE_PORT, Domain, Network, Origin, Port, ServerSettings


class ChannelGatewaySettings(ServerSettings, TracedSettings):
    """The channel gateway: webhooks come in, and pages are looked at, for Schedules."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        ONE_PORT,
        Contradiction(
            "COXSWAIN_POLLS_ORIGINS, COXSWAIN_POLLS_ALLOWED_DOMAINS: an origin is listed and no"
            " domain is allowed; allow its host too",
            lambda self: bool(self.polls_origins) and not self.polls_allowed_domains,
        ),
    )

    port: Port = 8083
    """Port for senders outside."""
    webhooks_at_once: Annotated[int, Field(ge=1, le=1000)] = 64
    """Requests that one process takes in at the same time; each may hold a MiB."""
    webhooks_seconds: Annotated[float, Field(gt=0, le=60)] = 20
    """How long a sender may take for one request."""
    polls_allowed_domains: Annotated[list[Domain], Field(max_length=1000)] = []
    """Hosts that Schedules may look at, each by its name or, with *. before it, all below it; none
    denies all."""
    polls_origins: Annotated[list[Origin], Field(max_length=1000)] = []
    """Origins such as http://status.internal:8080 that may be unencrypted, at another port than 443, or
    at a private address. Their hosts must be allowed too."""
    polls_nat64_prefixes: Annotated[list[Network], Field(max_length=16)] = []
    """Prefixes of this network's own NAT64, so that private addresses behind it are known as such."""
    polls_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 15
    """How long a page may take to come whole."""
    polls_at_once: Annotated[int, Field(ge=1, le=1000)] = 64
    """Pages that one process looks at at the same time."""
    polls_round_seconds: Annotated[float, Field(gt=0, le=60)] = 1
    """Time between two looks for pages that are due."""
