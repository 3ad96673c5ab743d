"""Which addresses are public, and what an installation may say about it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.errors import ConfigurationError
from coxswain.rules import addresses
from coxswain.rules.addresses import ANYWHERE, PUBLIC
from tests.support import targets

FAMILIES = ("dotted", "mapped", "compatible", "6to4", "Teredo", "NAT64", "NAT64 for local use")
CLOSED = [each.host for each in targets.closed() if each.family in (*FAMILIES, "IPv6")]


def test_what_is_nobodys_on_the_internet_is_refused() -> None:
    hosts = [*CLOSED, *targets.NEVER, "nonsense", "", "1.2.3"]
    assert [host for host in hosts if addresses.is_allowed(host)] == []


def test_what_is_somebodys_is_not() -> None:
    assert [host for host in targets.OPEN if not addresses.is_allowed(host)] == []


@given(st.ip_addresses())
def test_what_python_does_not_call_global_is_never_allowed(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if addresses.is_allowed(str(address)):
        inner = addresses.read(str(address))
        assert inner is not None
        assert inner.is_global or inner in ipaddress.ip_network("64:ff9b::/96")
        assert not inner.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_itself(address: ipaddress.IPv4Address) -> None:
    alone = addresses.is_allowed(str(address))
    assert addresses.is_allowed(f"::ffff:{address}") == alone
    assert addresses.is_allowed(f"64:ff9b::{address}") == alone
    assert not addresses.is_allowed(f"::{address}")


def test_an_installation_opens_what_it_lists_and_no_more() -> None:
    wanted = addresses.policy(allowed=["10.1.2.0/24", "fd00:1::/64", "127.0.0.1"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::9", "127.0.0.1", "1.1.1.1"):
        assert addresses.is_allowed(address, wanted)
    for address in ("10.1.3.3", "fd00:2::9", "127.0.0.2", "64:ff9b::a01:203", "fd00:1::9%eth0"):
        assert not addresses.is_allowed(address, wanted)


@pytest.mark.parametrize(
    ("prefix", "inside", "open"),
    [
        ("2a00:64::/96", "2a00:64::a00:5", "2a00:64::101:101"),
        ("2a00:64::/64", "2a00:64:0:0:0a:0:500::", "2a00:64:0:0:1:101:100::"),
        ("2a00:64::/32", "2a00:64:a00:5::", "2a00:64:101:101::"),
    ],
)
def test_a_nat64_of_ones_own_is_seen_through(prefix: str, inside: str, open: str) -> None:  # noqa: A002
    wanted = addresses.policy(nat64=[prefix])
    assert addresses.is_allowed(inside, PUBLIC)
    assert not addresses.is_allowed(inside, wanted)
    assert addresses.is_allowed(open, wanted)


@pytest.mark.parametrize("entry", ["10.1.2.3/24", "example.com", "10.0.0.0/40", "fe80::1%lo", ""])
def test_an_entry_that_is_no_network_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address"):
        addresses.policy(allowed=[entry])


@pytest.mark.parametrize("entry", ["10.0.0.0/8", "2a00:64::/72", "2a00:64::/95"])
def test_a_prefix_that_is_none_of_nat64_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="NAT64"):
        addresses.policy(nat64=[entry])


def test_anywhere_means_every_address() -> None:
    assert all(
        addresses.is_allowed(address, ANYWHERE) for address in ("10.0.0.1", "::1", "1.1.1.1")
    )
