"""What strangers could send: near enough to the right form to come far, and wrong in all places."""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coxswain import names
from coxswain.api.event_types import registry
from coxswain.identity.issuer import Nowhere
from coxswain.identity.key_ring import KeyRing
from coxswain.identity.keys import Keys
from coxswain.identity.tokens import Verifier
from coxswain.store import uuid7
from coxswain.store.keys import IssuerKeys
from tests.support import builders

Body = dict[str, Any]
Texts = SearchStrategy[str]

_ODD = ("", "a", "\0", "a\nb", "ä", "\u2028", "-1", "NaN", "x" * 300, "../..", "{{x}}", "%00", "²")
_NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats())
_PLAIN = st.one_of(st.none(), st.booleans(), _NUMBERS, st.sampled_from(_ODD), st.text(max_size=9))
_WORDS = st.one_of(st.sampled_from(_ODD), st.text(max_size=9))
json_values: SearchStrategy[Any] = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)
"""Any JSON, and the numbers that JSON has not."""

# -- cron lines ------------------------------------------------------------------------------

_FIELDS = (
    *("*", "*/5", "*/0", "*/99", "0", "59", "1-5", "5-1", "1,15", "1-10/3", "7", "60", "-1"),
    *("L", "LW", "5L", "1#5", "1#6", "MON", "mon-fri", "JAN-MAR", "FEB", "30", "31", "²", "\u0661"),
    *("1/2/3", "1,,2", "1-", "#", "/", ",", "?", "9" * 5000),
)
_FIELD = st.one_of(st.sampled_from(_FIELDS), st.text("0123456789*/,-#LW", max_size=5))
cron_lines: Texts = st.one_of(
    st.lists(_FIELD, min_size=5, max_size=5).map(" ".join),
    st.lists(_FIELD, max_size=7).map("\t".join),
    st.sampled_from(("@daily", "@DAILY", "@never", "@", " @hourly ")),
    st.text(max_size=40),
)

# -- addresses of callbacks ------------------------------------------------------------------

_HOSTS = (
    *(
        "receiver.example",
        "RECEIVER.example.",
        "a.hooks.example",
        ".hooks.example",
        "hooks.example",
    ),
    *("plain.example", "evil.test", "receiver.example.evil.test", "receiver.example..", "a..b"),
    *("127.0.0.1", "0x7f000001", "2130706433", "localhost", "xn--a.hooks.example", "_", "-"),
    *("a.hoo\u212as.example", "receiver\u3002example", "[::1]", "[", "a%2ehooks.example"),
    *("evil.test\\@receiver.example", "evil.test@receiver.example", "receiver.example@evil.test"),
)
_PORTS = ("", "", ":443", ":8443", ":8080", ":0", ":80", ":65536", ":99999", ":", ":+443", ":4_43")
_TAILS = ("", "/", "/hook?a=b", "?x", "#f", "/\\evil.test", "/../", "/@evil.test", "\\", "/a b")
addresses: Texts = st.one_of(
    st.tuples(
        st.sampled_from(
            ("https://", "https://", "http://", "HTTPS://", "ftp://", "//", " https://")
        ),
        st.sampled_from(_HOSTS),
        st.sampled_from(_PORTS),
        st.one_of(st.sampled_from(_TAILS), st.text(max_size=5)),
    ).map("".join),
    st.text(max_size=30),
)

# -- events ----------------------------------------------------------------------------------

_TYPES = st.sampled_from(
    ("user.note", "user.", "run.custom.note", "run.custom.", "a", *sorted(registry.VERSIONS))
)
_DEEP = st.sampled_from((10, 63, 64, 65, 500))


def _nested(depth: int) -> Body:
    found: Body = {}
    for _ in range(depth):
        found = {"a": found}
    return found


def _ids() -> str:
    return str(uuid7.new(datetime.now(UTC)))


_DETAILS = st.one_of(
    st.dictionaries(_WORDS, json_values, max_size=4),
    _DEEP.map(_nested),
    st.sampled_from(({"text": "x" * 300_000}, {"text": "\ud800"}, {"\0": 1}, {"n": float("inf")})),
)
_EVENTS = st.fixed_dictionaries(
    {"id": st.builds(_ids), "type": _TYPES, "details": _DETAILS},
    optional={"seq": st.integers(-1, 3), "eventVersion": st.integers(0, 3), "x": json_values},
)
batches: SearchStrategy[bytes] = st.one_of(
    st.lists(_EVENTS, max_size=3).map(lambda events: json.dumps({"events": events}).encode()),
    json_values.map(lambda value: json.dumps({"events": value}).encode()),
    st.binary(max_size=60),
)
"""Bodies of requests that append events."""


def texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield name
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case _:
            return


# -- tokens ----------------------------------------------------------------------------------

ISSUER = "https://kubernetes.default.svc"
AUDIENCE = names.audience("test")


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class _Published:
    async def fetch(self) -> IssuerKeys:
        public = jwt.algorithms.ECAlgorithm.to_jwk(_key().public_key(), as_dict=True)
        return IssuerKeys(ISSUER, {"first": {**public, "alg": "ES256", "use": "sig"}})


def verifier() -> Verifier:
    """One that knows the key ``first`` of the cluster, and has asked for no other yet."""
    ring = KeyRing(_Published(), Nowhere(), "this cluster", "cluster")
    return Verifier(cast("Keys", ring), "test")


def signed(claims: Body) -> str:
    """These claims, signed by the cluster, whatever they are."""
    payload = json.dumps(claims).encode()
    return jwt.PyJWS().encode(payload, _key(), algorithm="ES256", headers={"kid": "first"})


def good_claims() -> Body:
    """Those of a pod."""
    now = int(time.time())
    account = "system:serviceaccount:team:coxswain-agent"
    whose = {
        "namespace": "team",
        "pod": {"name": "pod", "uid": "6d1b5a3c-0000-4000-8000-000000000001"},
        "serviceaccount": {"name": "coxswain-agent", "uid": "6d1b5a3c-0000-4000-8000-000000000002"},
    }
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    return {"iss": ISSUER, "aud": [AUDIENCE], "sub": account, **times, "kubernetes.io": whose}


@st.composite
def _spoiled(draw: st.DrawFn, good: Body) -> Body:
    """A copy in which a few places hold anything, or are gone."""
    found = deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = found
        while True:
            key = draw(
                st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
            )
            inner = place[key]
            if isinstance(inner, dict | list) and inner and draw(st.booleans()):
                place = inner
                continue
            if draw(st.integers(0, 4)) == 0 and len(place) > 1:
                del place[key]
            else:
                place[key] = draw(json_values)
            break
    return found


claims: SearchStrategy[Body] = st.builds(good_claims).flatmap(_spoiled)
"""What a cluster that has lost its mind would sign."""


def _segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


_HEADERS = st.fixed_dictionaries(
    {
        "alg": st.one_of(st.sampled_from(("ES256", "RS256", "HS256", "none", "None")), json_values),
        "kid": st.one_of(st.sampled_from(("first", "second")), json_values),
    },
    optional={"typ": json_values, "crit": json_values, "b64": json_values, "jwk": json_values},
)
_PARTS = st.one_of(
    json_values.map(lambda value: json.dumps(value).encode()),
    st.builds(good_claims).map(lambda value: json.dumps(value).encode()),
    st.sampled_from((b"[" * 100_000, b"{", b"", b"\xff\xfe")),
    st.binary(max_size=20),
)
tokens: Texts = st.one_of(
    st.tuples(
        st.one_of(_HEADERS.map(lambda value: json.dumps(value).encode()), _PARTS),
        _PARTS,
        st.binary(max_size=64),
    ).map(lambda parts: ".".join(map(_segment, parts))),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
)
"""What nobody signed; visible ASCII, as the door lets through."""

# -- stored objects --------------------------------------------------------------------------

_STORED = (
    builders.agent().with_model("demo").raw,
    builders.job().raw,
    builders.job().running().raw,
)
objects: SearchStrategy[Body] = st.one_of(
    st.sampled_from(_STORED).flatmap(_spoiled),
    st.dictionaries(st.sampled_from(("metadata", "spec", "status", "kind")), json_values),
)
"""What a restore could bring that no API server has judged."""

# -- CONNECT ---------------------------------------------------------------------------------

_TARGETS = (
    *("api.example.com:443", "API.Example.com.:443", "[::1]:443", "[::1", "::1:443", "a:b:1"),
    *(
        "10.0.0.1:99999",
        "a:",
        ":443",
        "a:-1",
        "a:4 43",
        "a:\xb2",
        "\xe4:443",
        "/",
        "http://a/",
        "*",
    ),
)
_VALUES = (
    *("Bearer abc", "bearer", "Basic Og==", "Basic OmFiYw==", "Basic \xff", "Basic !", "Basic ="),
    *("Basic " + "A" * 4001, "Digest x", "\xe4", "Bearer \xe4", ""),
)


def _head(parts: tuple[str, str, str, str, str]) -> bytes:
    method, target, version, value, rest = parts
    lines = (f"{method} {target} {version}", "Host: a", f"Proxy-Authorization: {value}", "", rest)
    return "\r\n".join(lines).encode("latin-1")


@st.composite
def _in_pieces(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    edges = [0, *cuts, len(data)]
    return [data[one:other] for one, other in itertools.pairwise(edges)]


_LATIN = st.text(st.characters(max_codepoint=255), max_size=8)
_HEADS = st.one_of(
    st.tuples(
        st.one_of(st.sampled_from(("CONNECT", "CONNECT", "connect", "GET")), _LATIN),
        st.one_of(st.sampled_from(_TARGETS), _LATIN),
        st.sampled_from(("HTTP/1.1", "HTTP/1.0", "HTTP/2", "")),
        st.one_of(st.sampled_from(_VALUES), _LATIN),
        _LATIN,
    ).map(_head),
    st.binary(max_size=80),
)
heads: SearchStrategy[list[bytes]] = _HEADS.flatmap(_in_pieces)
"""The first bytes of a connection, in the pieces in which they come."""
