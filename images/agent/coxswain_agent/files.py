"""The file tools: list, read and write, all bounded, all inside the workspace."""

import os
import secrets
import stat
from collections.abc import Iterator

from coxswain_agent import paths
from coxswain_agent.errors import ToolError
from coxswain_agent.paths import Place, Workspace

LIST_ENTRIES = 1000
READ_BYTES = 131_072
WRITE_BYTES = 4_194_304


def listing(workspace: Workspace, path: str = ".") -> str:
    """Files below a folder, one line each with its size; links are shown, not followed."""
    with workspace.place(path) as place:
        lines: list[str] = []
        for line in _lines(place):
            if len(lines) == LIST_ENTRIES:
                return "\n".join([*lines, f"(more than {LIST_ENTRIES} entries; list a subfolder)"])
            lines.append(line)
    return "\n".join(lines) or "(empty)"


def read(workspace: Workspace, path: str, offset: int = 0) -> str:
    """Text of a file from a byte offset, at most READ_BYTES; the end says where to go on."""
    if offset < 0:
        raise ToolError("offset counts bytes from 0")
    with workspace.place(path) as place, paths.opened(place, os.O_RDONLY | os.O_NONBLOCK) as file:
        if not paths.is_regular(file):
            raise ToolError(f"{path} is not a file")
        data = os.pread(file, READ_BYTES, offset)
        left = os.fstat(file).st_size - offset - len(data)
    text = data.decode(errors="replace")
    if left <= 0:
        return text
    return f"{text}\n({left} bytes left; go on with offset {offset + len(data)})"


def write(workspace: Workspace, path: str, content: str) -> str:
    """Write a whole file; folders on the way are made; a reader never sees half of it."""
    data = content.encode("utf-8", "replace")
    if len(data) > WRITE_BYTES:
        raise ToolError(f"{len(data)} bytes are more than the {WRITE_BYTES} that one call writes")
    return f"{len(data)} bytes written to {put(workspace, path, data)}"


def put(workspace: Workspace, path: str, data: bytes) -> str:
    """Replace or make a file; returns its path below the workspace."""
    with workspace.place(path, make_folders=True) as place:
        if not place.name:
            raise ToolError(f"{path} is the workspace itself")
        try:
            _replace(place, data)
        except OSError as error:
            raise paths.refusal(path, error) from error
        return place.shown


def _replace(place: Place, data: bytes) -> None:
    passing = f".{secrets.token_hex(8)}.partial"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(passing, flags, 0o644, dir_fd=place.folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.rename(passing, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except OSError:
        os.unlink(passing, dir_fd=place.folder)
        raise


def _lines(place: Place) -> Iterator[str]:
    if not place.name:
        yield from _below(place.folder, "")
        return
    flags = os.O_RDONLY | os.O_NONBLOCK
    with paths.opened(place, flags) as found:
        if paths.is_regular(found):
            yield _line(place.shown, os.fstat(found).st_size)
            return
    yield from _below_named(place)


def _below_named(place: Place) -> Iterator[str]:
    with paths.opened(place, paths.FOLDER) as folder:
        yield from _below(folder, place.shown + "/")


def _below(folder: int, prefix: str) -> Iterator[str]:
    for base, folders, names, descriptor in os.fwalk(".", dir_fd=folder):
        folders.sort()
        inner = prefix + (base[2:] + "/" if base != "." else "")
        for name in sorted([*names, *folders]):
            line = _entry(name, descriptor, inner + name)
            if line is not None:
                yield line
        if not names and not folders and base != ".":
            yield inner


def _entry(name: str, folder: int, shown: str) -> str | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return f"{shown} -> {os.readlink(name, dir_fd=folder)}"
    except FileNotFoundError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else _line(shown, found.st_size)


def _line(path: str, size: int) -> str:
    return f"{path} ({size} bytes)"
