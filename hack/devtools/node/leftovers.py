"""Takes containers, mounts and control groups of a stopped node away; safe to run again."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from devtools import shell
from devtools.errors import ToolError
from devtools.node import processes
from devtools.node.machine import CGROUPS
from devtools.node.settings import Node


def kill_containers() -> None:
    """Kill everything inside the pods' control groups."""
    for _ in range(50):
        pids = {pid for group in pod_groups() for pid in _members(group)}
        if not pids:
            return
        processes.kill(pids)
    raise ToolError("pods' processes keep coming back", "look at /sys/fs/cgroup/*/kubepods")


def remove_groups() -> None:
    """Remove the pods' control groups, children first."""
    for top in pod_groups(deep=False):
        for folder, _, _ in os.walk(top, topdown=False):
            _remove_group(Path(folder))


def pod_groups(*, deep: bool = True) -> Iterator[Path]:
    """Control groups of pods, in both versions of control groups."""
    for top in (*CGROUPS.glob("kubepods*"), *CGROUPS.glob("*/kubepods*")):
        yield top
        if deep:
            yield from (Path(folder) for folder, _, _ in os.walk(top) if Path(folder) != top)


def unmount(folder: Path) -> None:
    """Unmount everything below a folder, last mounted first."""
    for target in reversed(mounts(folder)):
        if not shell.answers(["umount", target]):
            shell.answers(["umount", "--lazy", target])
    left = mounts(folder)
    if left:
        raise ToolError(f"still mounted: {left[0]}", "a process of yours may stand in it")


def mounts(folder: Path) -> list[str]:
    """Mount points at or below a folder, in order of mounting."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [point for point in points if Path(point).is_relative_to(folder)]


def remove_folder(node: Node) -> None:
    """Remove the state; the note of how the machine was goes last, so that a kill can be resumed."""
    for entry in node.folder.iterdir():
        if entry == node.before:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.rmtree(node.folder)


def _members(group: Path) -> list[int]:
    try:
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _remove_group(group: Path) -> None:
    for _ in range(100):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)  # the kernel lets go of a dead process a moment later
        else:
            return
    raise ToolError(f"control group does not go away: {group}")
