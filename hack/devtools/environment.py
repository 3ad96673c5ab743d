"""The virtual environment of this checkout: made from the lock, by hash, on a machine that has only Python.

A stamp beside it says from what it was made, so that the second call costs nothing.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from devtools import console, lockfiles, locks, places, shell
from devtools.errors import ToolError

UV_VERSION = "0.13.8"
PYTHON_AT_LEAST = (3, 11)
NO_DOWNLOADS = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def folder() -> Path:
    """Where the environment lives."""
    return places.REPOSITORY / ".venv"


def program(name: str) -> Path:
    """A program of the environment."""
    return folder() / "bin" / name


def variables() -> dict[str, str]:
    """What its Python programs are started with: this process' variables, and a place to compile to.

    The installer compiles nothing, and a machine may be set to keep nothing that Python compiles.
    Each process would then compile whatever it imports, for longer than most tests take.
    """
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder() / "compiled")}


def uv() -> Path:
    """The installer: the one on PATH, else the pinned one, put into the cache once."""
    found = shutil.which("uv")
    if found and shell.answers([found, "--version"]):
        return Path(found)
    home = places.cache() / "programs" / f"uv-{UV_VERSION}"
    with locks.held(home.parent / "uv.lock", "installing uv"):
        if not home.exists():
            partial = home.with_name(home.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            with console.step(f"install uv {UV_VERSION}"):
                _pip_install(f"uv=={UV_VERSION}", partial)
            partial.rename(home)
    return home / "bin" / "uv"


def ensure() -> Path:
    """Make or renew the environment if it is not what the lock says; return its Python."""
    if sys.version_info < PYTHON_AT_LEAST:
        wanted = ".".join(str(part) for part in PYTHON_AT_LEAST)
        raise ToolError(
            f"Python {wanted} or newer is needed; this is {sys.version.split()[0]}",
            "start the command with another python3 first on PATH",
        )
    lockfiles.require_fresh()
    stamp = folder() / "coxswain-stamp"
    wanted_stamp = _stamp()
    with locks.held(places.REPOSITORY / ".venv.lock", "installing the environment"):
        if not stamp.is_file() or stamp.read_text() != wanted_stamp:
            with console.step("install the locked Python packages into .venv"):
                _install()
            stamp.write_text(wanted_stamp)
    return program("python")


def _install() -> None:
    tool = uv()
    if not shell.answers([program("python"), "-c", "pass"]):
        shutil.rmtree(folder(), ignore_errors=True)
        shell.run([tool, "venv", "--python", sys.executable, folder()], env=NO_DOWNLOADS)
    install: list[str | Path] = [tool, "pip"]
    here: list[str | Path] = ["--python", program("python")]
    shell.run(
        [*install, "sync", *here, "--require-hashes", lockfiles.ROOT_LOCK],
        env=NO_DOWNLOADS,
        hint="is the Python package index of this machine in reach, is the disk full?",
    )
    shell.run(
        [*install, "install", *here, "--no-deps", "--no-build-isolation", "--editable", "."],
        env=NO_DOWNLOADS,
        cwd=places.REPOSITORY,
    )


def _stamp() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (lockfiles.ROOT_LOCK, lockfiles.PROJECT):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _pip_install(requirement: str, target: Path) -> None:
    hint = "install uv or Python's pip (Debian: apt-get install python3-pip)"
    if not shell.answers([sys.executable, "-m", "pip", "--version"]):
        raise ToolError("neither uv nor pip is on this machine", hint)
    shell.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", target, requirement],
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
        hint=hint,
    )
