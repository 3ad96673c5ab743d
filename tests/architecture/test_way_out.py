"""Only the dialer connects to the outside; who else opens connections knows where it connects to."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support import source

PACKAGE = Path(__file__).resolve().parents[2] / "operator" / "coxswain"
# The API server's address comes from the cluster; the database's, the bucket's and the issuer's are settings.
# The client runs on its user's machine, at an address of theirs.
ALLOWED = {"client", "gateway/outbound", "kube", "store", "identity/issuer.py"}
WAYS_OUT = {
    "asyncio.open_connection",
    "socket.create_connection",
    "socket.getaddrinfo",
    "aiohttp.ClientSession",
    "aiohttp.TCPConnector",
    "httpx.AsyncClient",
    "httpx.Client",
    "httpx.AsyncHTTPTransport",
    "httpcore.AsyncConnectionPool",
    "urllib.request",
    "create_connection",
    "getaddrinfo",
}
LAST_WORDS = {each.rpartition(".")[2] for each in WAYS_OUT}


def _ways_out(path: Path) -> Iterator[str]:
    for node in source.nodes(path):
        if isinstance(node, ast.Attribute) and node.attr in LAST_WORDS:
            name = ast.unparse(node)
            if name in WAYS_OUT or node.attr in WAYS_OUT:
                yield name
        if isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}.{each.name}"
                for each in node.names
                if f"{node.module}.{each.name}" in WAYS_OUT
            )


def _found(*, allowed: bool) -> set[str]:
    return {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        if any(path.is_relative_to(PACKAGE / room) for room in ALLOWED) is allowed
        for name in _ways_out(path)
    }


def test_nothing_but_the_dialer_opens_connections_to_the_outside() -> None:
    assert _found(allowed=False) == set()


def test_the_dialer_itself_is_seen_by_this_test() -> None:
    assert any(each.startswith("gateway/outbound") for each in _found(allowed=True))
