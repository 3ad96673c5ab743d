"""The one way from a name that a model wrote to a file of the workspace.

How a name is read: backslashes are slashes; doubled slashes and single dots fall away; a name that
begins with the workspace's own path is taken from there. Refused: any other absolute name, any
"..", and NUL. Symbolic links are followed by hand, step by step, and refused where they leave the
workspace; each step is opened relative to the folder before it and never through a link, so nothing
that changes meanwhile can lead outside.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from coxswain_agent import text
from coxswain_agent.errors import ToolError

MOST_LINKS = 40
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Place:
    """An open folder inside the workspace, and a name in it that is no link. Empty: the root."""

    folder: int
    name: str
    shown: str


def normalise(name: str, root: Path) -> tuple[str, ...]:
    """The steps below the root. Raises ToolError for a name that cannot be inside."""
    if text.clean(name) != name:
        raise ToolError("the path holds characters that no file name has")
    path = name.replace("\\", "/")
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if path.startswith("/"):
        own = root.parts[1:]
        if tuple(steps[: len(own)]) != own:
            raise ToolError(f"{name} is outside the workspace; use a path relative to it")
        steps = steps[len(own) :]
    if ".." in steps:
        raise ToolError(f"{name} holds ..; use a path relative to the workspace")
    return tuple(steps)


class Workspace:
    """The folder that the agent works in."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve(strict=True)

    @contextmanager
    def place(self, name: str, *, make_folders: bool = False) -> Iterator[Place]:
        """Go to a name, which need not be there yet, and keep its folder open meanwhile.

        Raises ToolError where the way leads outside or a folder on it is missing.
        """
        with ExitStack() as opened:
            walk = _Walk(self.root, opened, make_folders=make_folders)
            steps = list(reversed(normalise(name, self.root)))
            while steps:
                walk.step(steps, shown=name)
            yield Place(walk.folder, walk.name, "/".join(walk.trail) or ".")


class _Walk:
    """One resolution: the folders that are open, deepest last, and the last name."""

    def __init__(self, root: Path, opened: ExitStack, *, make_folders: bool) -> None:
        self._root = root
        self._opened = opened
        self._make_folders = make_folders
        self._folders = [self._keep(os.open(root, FOLDER))]
        self._links = 0
        self.trail: list[str] = []
        self.name = ""

    @property
    def folder(self) -> int:
        return self._folders[-1]

    def step(self, steps: list[str], *, shown: str) -> None:
        """Take the next of ``steps``, a stack; a link puts its target's steps onto it."""
        if self.name:
            self._enter(shown)
        step = steps.pop()
        if step == "..":
            self._leave(shown)
            return
        target = self._link(step)
        if target is None:
            self.name = step
            self.trail.append(step)
            return
        self._links += 1
        if self._links > MOST_LINKS:
            raise ToolError(f"{shown}: too many symbolic links")
        steps.extend(reversed(self._target_steps(target, shown)))

    def _enter(self, shown: str) -> None:
        if self._make_folders:
            try:
                os.mkdir(self.name, dir_fd=self.folder)
            except FileExistsError:
                pass
            except OSError as error:
                raise refusal(shown, error) from error
        try:
            self._folders.append(self._keep(os.open(self.name, FOLDER, dir_fd=self.folder)))
        except OSError as error:
            raise refusal(shown, error) from error
        self.name = ""

    def _leave(self, shown: str) -> None:
        if len(self._folders) == 1:
            raise ToolError(f"{shown} leads outside the workspace through a symbolic link")
        self._folders.pop()
        self.trail.pop()

    def _link(self, step: str) -> str | None:
        try:
            return os.readlink(step, dir_fd=self.folder)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise refusal(step, error) from error

    def _target_steps(self, target: str, shown: str) -> list[str]:
        if not target.startswith("/"):
            return [step for step in target.split("/") if step not in ("", ".")]
        own = str(self._root)
        if target != own and not target.startswith(own + "/"):
            raise ToolError(f"{shown} leads outside the workspace through a symbolic link")
        del self._folders[1:]
        self.trail.clear()
        return [step for step in target[len(own) :].split("/") if step not in ("", ".")]

    def _keep(self, descriptor: int) -> int:
        self._opened.callback(os.close, descriptor)
        return descriptor


@contextmanager
def opened(place: Place, flags: int) -> Iterator[int]:
    """A descriptor of a place for the length of a block; ToolError where it cannot be opened."""
    try:
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place.name or ".", flags, dir_fd=place.folder)
    except OSError as error:
        raise refusal(place.shown, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_regular(descriptor: int) -> bool:
    """Whether an open descriptor is an ordinary file, not a pipe, device or folder."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def refusal(shown: str, error: OSError) -> ToolError:
    """The system's word on a path, for the model."""
    return ToolError(f"{shown}: {os.strerror(error.errno or 0).lower()}")
