from pathlib import Path

import pytest

from devtools import places, programs
from devtools.errors import ToolError
from devtools.groups import BY_NAME, Group


def test_every_group_is_pinned_by_a_go_mod_and_a_go_sum() -> None:
    for group in BY_NAME.values():
        assert (group.folder / "go.sum").exists(), group.name
        assert group.version() != "unknown", group.name


def test_no_folder_of_programs_is_forgotten_by_the_table() -> None:
    folders = {path.parent.name for path in places.GROUPS.glob("*/go.mod")}
    assert folders == set(BY_NAME)


def test_the_key_changes_with_the_go_version() -> None:
    etcd = BY_NAME["etcd"]
    assert programs.key(etcd, "go1.26.0") != programs.key(etcd, "go1.26.1")


def test_the_key_changes_with_the_recipe() -> None:
    one = Group("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"})
    other = Group(one.name, one.module, one.packages, tags="some")
    assert programs.key(one, "go1.26.0") != programs.key(other, "go1.26.0")


def test_the_key_does_not_change_by_itself() -> None:
    assert programs.key(BY_NAME["etcd"], "go1.26.0") == programs.key(BY_NAME["etcd"], "go1.26.0")


def test_kubernetes_is_told_its_version_because_clients_refuse_it_otherwise() -> None:
    flags = BY_NAME["kubernetes"].link_flags()
    assert f"gitVersion=v{BY_NAME['kubernetes'].version()}" in flags
    assert "gitMajor=1" in flags


def test_an_unknown_group_is_refused_with_the_list() -> None:
    with pytest.raises(ToolError) as refused:
        programs.ensure("no-such-group")
    assert "kubernetes" in refused.value.hint


def test_a_tool_is_looked_for_anew_where_others_are_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = []
    for folder in (tmp_path / "one", tmp_path / "two", tmp_path / "one"):
        folder.mkdir(exist_ok=True)
        (folder / "kubeconform").touch(mode=0o755)
        monkeypatch.setenv("PATH", str(folder))
        found.append(programs.tool("kubeconform").parent.name)
    assert found == ["one", "two", "one"]
