"""Which hosts the web door lets an Agent's runs reach: exactly those that its list names."""

from collections.abc import Sequence
from ipaddress import ip_address

from coxswain.api.egress import EgressHost

_WILDCARD = "*."


def normal(host: str) -> str:
    """One spelling for one host: lower case, no dot at the end, an address in its usual form."""
    plain = host.lower().removesuffix(".")
    try:
        return str(ip_address(plain))
    except ValueError:
        return plain


def is_listed(hosts: Sequence[EgressHost], host: str, port: int) -> bool:
    """Whether the list names this host, in its normal form, with this port."""
    return any(each.port == port and _names(each.host, host) for each in hosts)


def _names(listed: str, host: str) -> bool:
    if not listed.startswith(_WILDCARD):
        return host == listed
    # All names below it, however deep, and not the name itself.
    return host.endswith(listed[1:]) and len(host) >= len(listed)
