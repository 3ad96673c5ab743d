"""The rules of callbacks: what is told, and to whom it may be told.

``docs/callbacks.md`` is the page for people.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from coxswain.api.callback import CallbackMessage, JobEnd
from coxswain.api.event_types.job import ENTERED
from coxswain.api.job import TERMINAL, Callback, JobStatus
from coxswain.api.kind import Job, Metadata
from coxswain.errors import ConfigurationError
from coxswain.rules import providers

_ENDS = ("Complete", "Failed")


class Skip(StrEnum):
    """Why nothing is sent."""

    DISABLED = "Disabled"
    """Callbacks are switched off."""
    URL_INVALID = "URLInvalid"
    """The URL has no host or no port."""
    DOMAIN_NOT_ALLOWED = "DomainNotAllowed"
    """The installation does not list the host."""
    NOT_ENCRYPTED = "NotEncrypted"
    """The URL is http, and the installation does not list its origin."""
    PORT_NOT_ALLOWED = "PortNotAllowed"
    """The port is not 443, and the installation does not list the origin."""
    ADDRESS_NOT_ALLOWED = "AddressNotAllowed"
    """The host has an address that is not public, and the installation does not list the origin."""
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason, not a secret
    """It must be signed, and no Secret is named, or it is not there."""
    SECRET_INVALID = "SecretInvalid"  # noqa: S105 - a reason, not a secret
    """The Secret is of another type, or holds no key."""


@dataclass(frozen=True)
class Policy:
    """Where callbacks may go, as the installation says. Hosts in lower case, origins canonical."""

    enabled: bool
    domains: frozenset[str]
    origins: frozenset[str] = frozenset()


def wanted(raw: Mapping[str, Any]) -> Callback | None:
    """Who is to be told of this Job's end; None where it has not ended, or nobody is."""
    given = (raw.get("spec") or {}).get("callback")
    phase = (raw.get("status") or {}).get("phase")
    if not given or phase not in TERMINAL:
        return None
    try:
        return Callback.model_validate(given)
    except ValidationError:
        # Older than the schema; the Job's own condition says so.
        return None


def message(raw: Mapping[str, Any]) -> CallbackMessage:
    """What is told of a Job that has ended."""
    metadata, status = Metadata.parse(raw), Job.status_of(raw)
    assert status.phase is not None  # noqa: S101 - who asks has seen that it ended
    created_at = metadata.creation_timestamp.isoformat().replace("+00:00", "Z")
    finished_at = status.finished_at or _last_edge(status) or created_at
    end = JobEnd(
        id=metadata.uid,
        workspace=metadata.namespace,
        name=metadata.name,
        phase=status.phase,
        reason=status.transitions[-1].reason if status.transitions else None,
        message=_why(status),
        result=status.result,
        attempts=status.attempt,
        attempts_used=status.attempts_used,
        created_at=created_at,
        started_at=status.started_at,
        finished_at=finished_at,
    )
    return CallbackMessage(type=ENTERED[status.phase].name, timestamp=finished_at, data=end)


def body(told: CallbackMessage) -> str:
    """The text that is signed and sent, the same each time."""
    return json.dumps(told.to_wire(), separators=(",", ":"), ensure_ascii=False)


def host_of(url: str) -> str:
    """The host of a URL in one spelling; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def policy(*, enabled: bool, domains: list[str], origins: list[str]) -> Policy:
    """Read the settings. Raises ConfigurationError that names the entry."""
    hosts = frozenset(each.lower().rstrip(".") for each in domains)
    return Policy(enabled, hosts, frozenset(_origin(each) for each in origins))


def refusal(url: str, rules: Policy) -> Skip | None:
    """Why nothing may be sent to this URL; None where it may. Addresses are judged on connecting."""
    if not rules.enabled:
        return Skip.DISABLED
    host = host_of(url)
    try:
        plain = urlsplit(providers.canonical(url))
    except ValueError:
        return Skip.URL_INVALID
    if not host:
        return Skip.URL_INVALID
    if not _is_allowed(host, rules.domains):
        return Skip.DOMAIN_NOT_ALLOWED
    if is_listed(url, rules):
        return None
    if plain.scheme != "https":
        return Skip.NOT_ENCRYPTED
    # The canonical form names no port where it is the usual one.
    return None if plain.port is None else Skip.PORT_NOT_ALLOWED


def is_listed(url: str, rules: Policy) -> bool:
    """Whether the installation lists the URL's origin: then also unencrypted or at any address."""
    parts = urlsplit(url)
    return providers.canonical(f"{parts.scheme}://{parts.netloc}") in rules.origins


def _origin(text: str) -> str:
    try:
        return providers.canonical(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no origin such as http://hooks.internal:8080: {error}"
        ) from error


def _is_allowed(host: str, domains: frozenset[str]) -> bool:
    """By its own name, or by a star in place of its first labels."""
    labels = host.split(".")
    stars = (f"*.{'.'.join(labels[place:])}" for place in range(1, len(labels)))
    return host in domains or any(star in domains for star in stars)


def _last_edge(status: JobStatus) -> str | None:
    return status.transitions[-1].at if status.transitions else None


def _why(status: JobStatus) -> str | None:
    found = [each.message for each in status.conditions if each.type in _ENDS]
    return (found[-1] or None) if found else None
