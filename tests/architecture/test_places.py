"""Ports and paths are settings. What is fixed by Kubernetes, a URL's scheme or our contract stands here."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support import source

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = ("operator", "controllers", "images/agent")
SOURCES = sorted(path for root in ROOTS for path in (REPOSITORY / root).rglob("*.py"))
SETTINGS = (
    "operator/coxswain/settings.py",
    "operator/coxswain/tls_settings.py",
    "images/agent/coxswain_agent/settings.py",
)
FOLDERS = ("bin", "dev", "etc", "home", "opt", "proc", "run", "srv", "sys", "tmp", "usr", "var")
PORTS = {80, 443, 2379, 3000, 5432, 6379, 6443, 8000, 8080, 8081, 8443, 9090, 9091, 10250}
FIXED = {
    # Where the kubelet mounts an account, and where the pods that we render mount their own /tmp.
    ("operator/coxswain/kube/credentials.py", "/var/run/secrets/kubernetes.io/serviceaccount"),
    ("operator/coxswain/sandbox/mounts.py", "/tmp"),  # noqa: S108
    # The shell that POSIX promises in every image.
    ("images/agent/coxswain_agent/toolbox.py", "/bin/sh"),
    # Ports that a URL without one means.
    ("images/agent/coxswain_agent/web_door.py", 80),
    ("images/agent/coxswain_agent/web_door.py", 443),
    ("operator/coxswain/api/egress.py", 443),
    ("operator/coxswain/process/leading.py", 443),
    ("operator/coxswain/rules/providers.py", 80),
    ("operator/coxswain/rules/providers.py", 443),
    ("operator/coxswain/web/redirect.py", 443),
}


def places(found: Iterable[ast.AST]) -> Iterator[str | int]:
    """Every literal that is a path of a machine or a port that something usually listens on."""
    nodes = list(found)
    shifts = {
        id(node.right)
        for node in nodes
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.RShift)
    }
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in shifts and _is_place(node.value):
            yield node.value  # type: ignore[misc]  # _is_place lets only these two through


def _is_place(value: object) -> bool:
    if isinstance(value, str):
        return value.startswith("/") and value.split("/")[1] in FOLDERS
    return type(value) is int and value in PORTS


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_port_and_no_path_stands_in_the_code(path: Path) -> None:
    name = str(path.relative_to(REPOSITORY))
    if name in SETTINGS:
        return
    assert [place for place in places(source.nodes(path)) if (name, place) not in FIXED] == []


@pytest.mark.parametrize("line", ["a = '/etc/passwd'", "b = '/tmp'", "serve(port=8080)"])
def test_a_fixed_place_is_found(line: str) -> None:
    assert len(list(places(ast.walk(ast.parse(line))))) == 1
