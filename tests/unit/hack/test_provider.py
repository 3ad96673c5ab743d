"""How this machine gets a cluster, and what is said where it cannot."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import kind, provider
from devtools.errors import ToolError
from devtools.existing import Existing
from devtools.groups import BY_NAME
from devtools.kind import Kind
from devtools.native import Native
from devtools.node import preflight
from devtools.node.settings import Node

MORE_THAN_ANY_DISK = 10**21


def with_engine() -> bool:
    return True


def without_engine() -> bool:
    return False


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a program, a node and a cluster of anybody's."""
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    monkeypatch.setenv("COXSWAIN_NODE", str(tmp_path / "node"))
    monkeypatch.setenv("COXSWAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COXSWAIN_KUBECONFIG", raising=False)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_cluster_that_is_named_is_taken_before_all_others(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.folder.mkdir()
    node.before.touch()
    monkeypatch.setenv("COXSWAIN_KUBECONFIG", str(tmp_path / "theirs"))
    named = provider.choose(str(tmp_path / "given"), with_engine)
    by_variable = provider.choose(None, with_engine)
    assert isinstance(named, Existing)
    assert isinstance(by_variable, Existing)
    assert [each.kubeconfig().name for each in (named, by_variable)] == ["given", "theirs"]


def test_a_node_that_is_there_stays_in_use_though_an_engine_answers(node: Node) -> None:
    node.folder.mkdir()
    node.before.touch()
    assert isinstance(provider.choose(None, with_engine), Native)


def test_an_engine_that_answers_gives_a_kind_cluster() -> None:
    assert isinstance(provider.choose(None, with_engine), Kind)


def test_a_machine_with_nothing_is_told_all_that_it_lacks() -> None:
    with pytest.raises(ToolError) as refused:
        provider.choose(None, without_engine)
    for word in ("no container engine answers", "Debian's apt-get", "Go 1.26 or newer"):
        assert word in str(refused.value)
    assert "--kubeconfig FILE" in refused.value.hint


def test_kind_runs_the_kubernetes_of_the_native_node_pinned_by_its_digest() -> None:
    (only,) = kind.CONFIG["nodes"]
    found = re.fullmatch(r"kindest/node:v(\d+\.\d+)\.\d+@sha256:[0-9a-f]{64}", only["image"])
    assert found
    assert BY_NAME["kubernetes"].version().startswith(f"{found[1]}.")


def test_a_disk_that_is_too_small_is_named_with_what_to_do(node: Node, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as refused:
        preflight.require_disk(node, MORE_THAN_ANY_DISK)
    words = rf"\d+\.\d GB free at {re.escape(str(tmp_path))}, 1000000000000 needed"
    assert re.fullmatch(words, str(refused.value))
    assert "COXSWAIN_CACHE" in refused.value.hint


def test_a_disk_with_room_is_enough(node: Node) -> None:
    preflight.require_disk(node, 1)


def test_a_port_that_is_taken_is_named_with_who_needs_it(node: Node, taken: int) -> None:
    with pytest.raises(ToolError) as refused:
        preflight.require_ports(node, {"etcd": (("127.0.0.1", taken),)})
    assert str(refused.value) == (
        f"port {taken} of 127.0.0.1 is taken by another program; etcd needs it"
    )
    assert refused.value.hint == "stop that program, then run this again"


def test_a_port_that_is_free_is_no_error(node: Node, taken: int) -> None:
    preflight.require_ports(node, {"etcd": (("127.0.0.2", taken),)})
