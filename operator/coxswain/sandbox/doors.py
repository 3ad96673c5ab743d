"""The doors of an agent pod: the only addresses that it can reach, known to it without DNS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coxswain import names

END_OF_CERTIFICATE = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Door:
    """One Service: its full name, all its cluster addresses, its port, and whether that speaks TLS."""

    host: str
    addresses: tuple[str, ...]
    port: int
    is_secure: bool = False

    @property
    def url(self) -> str:
        """Its address in the pod's environment."""
        scheme = "https" if self.is_secure else "http"
        return f"{scheme}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Doors:
    """What every agent pod may reach."""

    platform: Door
    models: Door
    web: Door
    authority: str | None = None
    """Certificates that theirs are signed by, as PEM; none where they are plain."""


def aliases(doors: Doors) -> list[dict[str, Any]]:
    """The pod's hostAliases: each address once, with every name that stands for it."""
    hosts: dict[str, list[str]] = {}
    for door in (doors.platform, doors.models, doors.web):
        for address in door.addresses:
            hosts.setdefault(address, []).append(door.host)
    return [{"ip": address, "hostnames": found} for address, found in hosts.items()]


def are_known(doors: Doors, pod: Mapping[str, Any]) -> bool:
    """Whether a pod still reaches them: by their addresses, and over TLS just where they speak it.

    It trusts whom it was told of when it was made; one of them has to be there still.
    """
    if pod["spec"].get("hostAliases") != aliases(doors):
        return False
    annotations = pod["metadata"].get("annotations") or {}
    told: str | None = annotations.get(names.ANNOTATION_DOORS_CA)
    if told is None or doors.authority is None:
        return told == doors.authority
    return not _certificates(told).isdisjoint(_certificates(doors.authority))


def _certificates(text: str) -> set[str]:
    return {each.strip() for each in text.split(END_OF_CERTIFICATE)} - {""}
