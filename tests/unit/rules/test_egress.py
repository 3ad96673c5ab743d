"""Which hosts an Agent's list names."""

import pytest

from coxswain.api.egress import EgressHost
from coxswain.rules import egress

HOSTS = [
    EgressHost(host="api.example.com"),
    EgressHost(host="*.data.example.com", port=8443),
    EgressHost(host="192.0.2.7"),
    EgressHost(host="fd00::1", port=6443),
]


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("api.example.com", 443),
        ("API.Example.com.", 443),
        ("a.data.example.com", 8443),
        ("a.b.data.example.com", 8443),
        ("192.0.2.7", 443),
        ("FD00:0::1", 6443),
    ],
)
def test_what_is_listed_is_let_through(host: str, port: int) -> None:
    assert egress.is_listed(HOSTS, egress.normal(host), port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("api.example.com", 80),
        ("api.example.com", 8443),
        ("example.com", 443),
        ("xapi.example.com", 443),
        ("api.example.com.evil.example", 443),
        ("data.example.com", 8443),
        (".data.example.com", 8443),
        ("xdata.example.com", 8443),
        ("a.data.example.com", 443),
        ("192.0.2.70", 443),
        ("3221225991", 443),
        ("0xc0000207", 443),
        ("192.0.519", 443),
        ("::ffff:192.0.2.7", 443),
        ("fd00::1", 443),
        ("", 443),
        ("*.data.example.com", 443),
    ],
)
def test_everything_else_is_not(host: str, port: int) -> None:
    assert not egress.is_listed(HOSTS, egress.normal(host), port)


def test_an_agent_that_lists_nothing_reaches_nothing() -> None:
    assert not egress.is_listed([], "api.example.com", 443)
