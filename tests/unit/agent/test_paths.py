"""No name and no link leads outside the workspace."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coxswain_agent import files, paths
from coxswain_agent.errors import ToolError
from coxswain_agent.paths import Workspace

OUTSIDE = "the secret outside"
ONLY_OUTSIDE = "only-outside.txt"
STEPS = st.sampled_from(
    [
        "a",
        "b",
        "..",
        ".",
        "",
        "in",
        "out",
        "up",
        "loop",
        "far",
        "file.txt",
        "secret.txt",
        "\\",
        "..\\",
    ]
)
NAMES = st.builds(
    lambda lead, steps, join: lead + join.join(steps),
    st.sampled_from(["", "/", "//", "\\", "./", "../", "/workspace/", "/etc/", "C:\\"]),
    st.lists(STEPS, min_size=1, max_size=7),
    st.sampled_from(["/", "//", "\\"]),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder with links of every sort beside a secret that none may reach."""
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    (tmp_path / ONLY_OUTSIDE).write_text("never a name that is tried")
    root = tmp_path / "workspace"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "file.txt").write_text("inside")
    (root / "in").symlink_to("a/b")
    (root / "a" / "b" / "up").symlink_to("../..")
    (root / "out").symlink_to("..")
    (root / "a" / "out").symlink_to("../../secret.txt")
    (root / "far").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    (root / "a" / "far").symlink_to(root / "a" / "file.txt")
    return Workspace(root)


def attempts(workspace: Workspace, name: str) -> Iterator[str]:
    actions: list[Callable[[], str]] = [
        lambda: files.read(workspace, name),
        lambda: files.listing(workspace, name),
        lambda: files.write(workspace, name, "overwritten"),
    ]
    for action in actions:
        try:
            yield action()
        except ToolError as error:
            yield error.message


@given(name=NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_reads_lists_or_writes_outside(workspace: Workspace, name: str) -> None:
    outside = workspace.root.parent
    for said in attempts(workspace, name):
        assert OUTSIDE not in said
        assert ONLY_OUTSIDE not in said
    assert (outside / "secret.txt").read_text() == OUTSIDE
    assert sorted(each.name for each in outside.iterdir()) == [
        ONLY_OUTSIDE,
        "secret.txt",
        "workspace",
    ]


@given(name=st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_file_name_or_a_refusal(workspace: Workspace, name: str) -> None:
    assert all(isinstance(said, str) for said in attempts(workspace, name))


@given(
    target=st.lists(
        st.sampled_from(["..", ".", "a", "b", "up", "in", "workspace", "secret.txt"]),
        min_size=1,
        max_size=8,
    ),
    absolute=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_link_leads_outside(workspace: Workspace, target: list[str], absolute: bool) -> None:
    link = workspace.root / "made"
    link.unlink(missing_ok=True)
    start = f"{workspace.root}/" if absolute else ""
    link.symlink_to(start + "/".join(target))
    for name in ("made", "made/secret.txt", "made/a/file.txt"):
        for said in attempts(workspace, name):
            assert OUTSIDE not in said
    assert (workspace.root.parent / "secret.txt").read_text() == OUTSIDE


@pytest.mark.parametrize(
    "name", ["a/file.txt", "a//file.txt", "./a/./file.txt", "a\\file.txt", "in/up/a/far", "a/far"]
)
def test_every_spelling_of_a_file_inside_is_read(workspace: Workspace, name: str) -> None:
    assert files.read(workspace, name) == "inside"


def test_the_workspaces_own_path_may_be_written_out(workspace: Workspace) -> None:
    assert files.read(workspace, f"{workspace.root}/a/file.txt") == "inside"
    assert files.read(workspace, f"//{workspace.root}//a/file.txt") == "inside"


@pytest.mark.parametrize("name", ["/etc/passwd", "/a/file.txt", "../x", "a/../a/file.txt", "a\0b"])
def test_a_name_that_cannot_be_meant_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(ToolError):
        paths.normalise(name, workspace.root)


@pytest.mark.parametrize("name", ["out/secret.txt", "a/out", "far/secret.txt", "loop", "loop/x"])
def test_a_link_to_the_outside_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(ToolError, match="link"):
        files.read(workspace, name)


def test_a_pipe_is_no_file_and_blocks_nobody(workspace: Workspace) -> None:
    os.mkfifo(workspace.root / "pipe")
    with pytest.raises(ToolError, match="not a file"):
        files.read(workspace, "pipe")


def test_descriptors_are_closed(workspace: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in ("a/file.txt", "in/up/a/far", "out/secret.txt", "nothing/there", "loop"):
        list(attempts(workspace, name))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_long_file_is_read_in_parts(workspace: Workspace) -> None:
    (workspace.root / "long.txt").write_text("x" * files.READ_BYTES + "tail")
    first = files.read(workspace, "long.txt")
    assert f"go on with offset {files.READ_BYTES}" in first
    assert files.read(workspace, "long.txt", files.READ_BYTES) == "tail"


def test_a_written_file_is_whole_and_leaves_nothing_beside_it(workspace: Workspace) -> None:
    files.write(workspace, "new/deep/file.txt", "hello")
    files.write(workspace, "new/deep/file.txt", "again")
    folder = workspace.root / "new" / "deep"
    assert [each.name for each in folder.iterdir()] == ["file.txt"]
    assert (folder / "file.txt").read_text() == "again"


def test_what_cannot_be_written_is_said_and_leaves_nothing(workspace: Workspace) -> None:
    with pytest.raises(ToolError, match="directory"):
        files.write(workspace, "a/b", "x")
    assert not [each for each in (workspace.root / "a").iterdir() if "partial" in each.name]
    with pytest.raises(ToolError, match="bytes are more"):
        files.write(workspace, "big", "x" * (files.WRITE_BYTES + 1))


def test_a_listing_shows_files_with_their_sizes_and_follows_no_link(workspace: Workspace) -> None:
    assert files.listing(workspace, "a").splitlines() == [
        f"a/far -> {workspace.root}/a/file.txt",
        "a/file.txt (6 bytes)",
        "a/out -> ../../secret.txt",
        "a/b/up -> ../..",
    ]


def test_a_listing_is_bounded(workspace: Workspace) -> None:
    many = workspace.root / "many"
    many.mkdir()
    for number in range(files.LIST_ENTRIES + 1):
        (many / f"{number:05}").touch()
    lines = files.listing(workspace, "many").splitlines()
    assert len(lines) == files.LIST_ENTRIES + 1
    assert "more than" in lines[-1]
