"""Which addresses a connection to the outside may be made to, whichever way they are written.

Judged from tables of our own (the registries of special addresses of IANA), so the answer does not
change with the version of Python. What is not known to be public is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from coxswain.errors import ConfigurationError

# Nobody's address on the internet: this network, private, shared (CGNAT), loopback, link-local,
# protocols, documentation, the old 6to4 relays, benchmarks, multicast, reserved and broadcast.
_CLOSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Only global unicast is open, and of it not what carries an IPv4 address inside (Teredo, 6to4), is
# meant for protocols or for documentation. All else (::1, link-local, unique local, site-local,
# multicast, IPv4-compatible, NAT64 for local use, segment routing) lies outside of it.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LENGTHS = (32, 40, 48, 56, 64, 96)
_OCTET_U = 8

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Policy:
    """What an installation says: networks open on purpose, and its own prefixes of NAT64."""

    allowed: tuple[Network, ...] = ()
    nat64: tuple[IPv6Network, ...] = ()


PUBLIC = Policy()
ANYWHERE = Policy((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))


def policy(allowed: Iterable[str] = (), nat64: Iterable[str] = ()) -> Policy:
    """Read the settings. Raises ConfigurationError that names the entry."""
    return Policy(tuple(_network(each) for each in allowed), tuple(_prefix(each) for each in nat64))


def read(text: str) -> Address | None:
    """An address as it is really connected to; None for what is none, and for one with a zone.

    A zone names a cable of this machine, so such an address never leads to the outside.
    """
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    if found.scope_id is not None:
        return None
    return found.ipv4_mapped or found


def is_allowed(text: str, wanted: Policy = PUBLIC) -> bool:
    """Whether a connection may be made to this address."""
    found = read(text)
    if found is None:
        return False
    return any(found in network for network in wanted.allowed) or _is_public(found, wanted)


def _is_public(address: Address, wanted: Policy) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    for prefix in (_NAT64, *wanted.nat64):
        if address in prefix:
            return _is_public(_behind(prefix, address), wanted)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def _behind(prefix: IPv6Network, address: IPv6Address) -> IPv4Address:
    """The IPv4 address that a NAT64 would send to (RFC 6052: octet 8 is left out)."""
    packed = address.packed
    start = prefix.prefixlen // 8
    inner = [packed[place] for place in range(start, 16) if place != _OCTET_U or start > _OCTET_U]
    return IPv4Address(bytes(inner[:4]))


def _network(text: str) -> Network:
    try:
        # A zone names a cable of one machine, and is nothing that an address is compared by.
        return ip_network(text.replace("%", " % "))
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no address and no network such as 10.1.2.0/24: {error}"
        ) from error


def _prefix(text: str) -> IPv6Network:
    found = _network(text)
    if not isinstance(found, IPv6Network) or found.prefixlen not in _NAT64_LENGTHS:
        raise ConfigurationError(
            f"{text!r} is no prefix of NAT64: an IPv6 network of length 32, 40, 48, 56, 64 or 96"
        )
    return found
