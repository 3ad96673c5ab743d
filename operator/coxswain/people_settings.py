"""How people sign in at the sidecar API; part of its settings."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from coxswain.configuration import Contradiction, Settings

Workspace = Annotated[
    str, StringConstraints(max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
Claim = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern="^[!-~]+$")]
Issuer = Annotated[str, Field(max_length=512, pattern=r"^(https://[^\s?#@]+)?$")]
Audience = Annotated[str, Field(max_length=512, pattern=r"^[!-~]*$")]
Group = Annotated[str, StringConstraints(min_length=1, max_length=256)]

OIDC_NEEDS = ("oidc_issuer", "oidc_audience", "people_groups")


class GroupGrant(BaseModel):
    """What the people of a group may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["Read", "Member", "Admin"]
    """Read; Member: also makes, and acts on their own; Admin: acts on all."""
    workspaces: Annotated[list[Workspace], Field(min_length=1, max_length=1000)] | None = None
    """Where; none means everywhere, also beyond workspaces."""


class PeopleSettings(Settings):
    """How people sign in; machines have API keys in each case."""

    CONTRADICTIONS: ClassVar[tuple[Contradiction, ...]] = (
        Contradiction(
            "COXSWAIN_PEOPLE, COXSWAIN_OIDC_ISSUER, COXSWAIN_OIDC_AUDIENCE, COXSWAIN_PEOPLE_GROUPS:"
            " with oidc issuer, audience and at least one group are needed; give all three",
            lambda self: (
                self.people == "oidc" and not all(getattr(self, name) for name in OIDC_NEEDS)
            ),
        ),
        Contradiction(
            "COXSWAIN_PEOPLE, COXSWAIN_OIDC_ISSUER, COXSWAIN_OIDC_AUDIENCE,"
            " COXSWAIN_PEOPLE_GROUPS: these are for people=oidc alone; set it, or take them out",
            lambda self: self.people != "oidc" and any(getattr(self, name) for name in OIDC_NEEDS),
        ),
        Contradiction(
            "COXSWAIN_PEOPLE, COXSWAIN_KUBERNETES_AUDIENCE: an audience of Kubernetes is for"
            " people=kubernetes alone; set it, or take it out",
            lambda self: self.people != "kubernetes" and bool(self.kubernetes_audience),
        ),
        Contradiction(
            "COXSWAIN_PEOPLE, COXSWAIN_LOCAL_TOKEN_FILE, COXSWAIN_LOCAL_TOKEN_KEPT: people sign in,"
            " and the local token, which may do everything, would open the API too; take it out, or"
            " say that it is kept",
            lambda self: (
                self.people != "local"
                and self.local_token_file is not None
                and not self.local_token_kept
            ),
        ),
    )

    onboarded_workspaces: Annotated[list[Workspace], Field(max_length=10_000)] = []
    """The workspaces that were onboarded, as JSON, such as ["demo"]: where lists over all look for people
    whose rights are Kubernetes', and where a denial stands in the audit log."""
    people: Literal["local", "oidc", "kubernetes"] = "local"
    """local: by the local token alone, for development; oidc: by tokens of an issuer; kubernetes: by
    tokens that the API server takes, with the rights that Kubernetes gives."""
    local_token_file: Path | None = None
    """File with the token of the local user, who may do everything; none lets nobody in by it."""
    local_token_kept: bool = False
    """Let the local token open the API even where people sign in."""
    oidc_issuer: Issuer = ""
    """Who signs people's tokens: https://, as it stands in their claim iss. Its keys are found there."""
    oidc_audience: Audience = ""
    """What people's tokens have to be for: their claim aud."""
    oidc_name_claim: Claim = "sub"
    """The claim that holds a person's name; one that nobody can change for themselves, and that is never
    given to somebody else. An email counts only if the token says that it is verified."""
    oidc_groups_claim: Claim = "groups"
    """The claim that lists a person's groups."""
    oidc_ca_file: Path | None = None
    """Certificates that the issuer's is signed by; none takes those of the image."""
    people_groups: Annotated[dict[Group, GroupGrant], Field(max_length=1000)] = {}
    """What the people of each group may do, as JSON: {"ops": {"role": "Admin"}, "team": {"role": "Member",
    "workspaces": ["demo"]}}. The group * is everybody whom the issuer vouches for."""
    kubernetes_audience: Audience = ""
    """What people's tokens have to be for where Kubernetes knows them; none means the API server itself."""
