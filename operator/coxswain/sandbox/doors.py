"""The doors of an agent pod: the only addresses that it can reach, known to it without DNS."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Door:
    """One Service: its full name, all its cluster addresses, its port."""

    host: str
    addresses: tuple[str, ...]
    port: int

    @property
    def url(self) -> str:
        """Its address in the pod's environment."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Doors:
    """What every agent pod may reach."""

    platform: Door
    models: Door
    web: Door


def aliases(doors: Doors) -> list[dict[str, Any]]:
    """The pod's hostAliases: each address once, with every name that stands for it."""
    hosts: dict[str, list[str]] = {}
    for door in (doors.platform, doors.models, doors.web):
        for address in door.addresses:
            hosts.setdefault(address, []).append(door.host)
    return [{"ip": address, "hostnames": names} for address, names in hosts.items()]
