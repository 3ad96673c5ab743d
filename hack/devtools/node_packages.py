"""Packages of Node that a bench or a test needs: installed once from a committed lock, into the cache.

The lock holds versions and hashes and no address, so whatever registry npm is set up with serves it.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from devtools import console, debian, locks, places, shell
from devtools.errors import ToolError

NODE_AT_LEAST = 20
HINT = f"install Node {NODE_AT_LEAST} or newer with npm and put both on PATH"


def installed(source: Path) -> Path:
    """A copy of a folder with package.json, its lock and scripts, beside its node_modules."""
    home = places.cache() / "programs" / f"node-{source.name}-{_key(source)}"
    with locks.held(home.parent / f"node-{source.name}.lock", f"installing {source.name}"):
        if not home.exists():
            with console.step(f"install the packages of {source.name} (npm)"):
                _install(source, home.with_name(home.name + ".partial"))
            home.with_name(home.name + ".partial").rename(home)
    return home


def node_version() -> str:
    """The local Node, installed where Debian has it and we may, or an error that says which one is needed."""
    if shutil.which("npm") is None and shutil.which("apt-get") is not None and os.geteuid() == 0:
        debian.ensure(debian.JAVASCRIPT)
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise ToolError("this runs programs in Node; none was found", HINT)
    version = shell.run(["node", "--version"]).strip()
    major = re.match(r"v(\d+)", version)
    if major is None or int(major.group(1)) < NODE_AT_LEAST:
        raise ToolError(f"Node {version} is too old", HINT)
    return version


def _install(source: Path, partial: Path) -> None:
    node_version()
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    shell.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=partial,
        hint="is npm's registry of this machine in reach, is the disk full?",
    )


def _key(source: Path) -> str:
    """Twelve hex digits that change with every file."""
    digest = hashlib.sha256()
    for path in sorted(each for each in source.iterdir() if each.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
