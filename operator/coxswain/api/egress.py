"""Which hosts an Agent's pods may reach through the web door. What is not listed is not reached."""

import ipaddress
import re
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from coxswain.api import quantity
from coxswain.api.meta import Model, Rule
from coxswain.api.quantity import Quantity

HTTPS = 443
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
# The last label begins with a letter, so no resolver takes such a name for an address.
_NAME = rf"({_LABEL}\.)+[a-z]([-a-z0-9]*[a-z0-9])?"
HOST_NAME = rf"^(\*\.)?{_NAME}$"


def _is_address(text: str) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    # As the API server sees it: no zone, no IPv4 address inside an IPv6 one.
    return str(found) == text and "%" not in text and not text.startswith("::ffff:")


class EgressHost(Model):
    """One host and the port on it, over TLS."""

    RULES: ClassVar = (
        Rule(
            f"self.host.matches(r'{HOST_NAME}') || isIP(self.host) && ip.isCanonical(self.host)",
            "host is a name in lower case such as api.example.com, or *.example.com for all names"
            " below it, or an address in its usual form",
            lambda self: re.fullmatch(HOST_NAME, self.host) is not None or _is_address(self.host),
        ),
    )

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """A name, *.example.com for all names below one, or an address that the installation allows."""
    port: Annotated[int, Field(ge=1, le=65535)] = HTTPS
    """The port; TLS is spoken on it, whichever it is."""


LEAST_BYTES = 65_536
MOST_BYTES = 2**50


class Egress(Model):
    """What the pods may reach beside the platform, by way of the web door."""

    RULES: ClassVar = (
        Rule(
            "!has(self.bytesPerRun) || !quantity(string(self.bytesPerRun)).isLessThan(quantity('64Ki'))",
            "bytesPerRun is at least 64Ki; leave it out to bound nothing",
            lambda self: self.most_bytes is None or self.most_bytes >= LEAST_BYTES,
        ),
        Rule(
            "!has(self.bytesPerRun) || !quantity(string(self.bytesPerRun)).isGreaterThan(quantity('1Pi'))",
            "bytesPerRun is at most 1Pi; leave it out to bound nothing",
            lambda self: self.most_bytes is None or self.most_bytes <= MOST_BYTES,
        ),
    )

    hosts: Annotated[list[EgressHost], Field(max_length=64)] = []
    """The hosts; an empty list means none."""
    bytes_per_run: Quantity | None = None
    """What one attempt may send and receive through the web door, both together, such as 1Gi; when
    it is used up, its connections are cut and no further one is let through. None bounds nothing."""

    @property
    def most_bytes(self) -> int | None:
        """The same as a number."""
        return None if self.bytes_per_run is None else int(quantity.number(self.bytes_per_run))
