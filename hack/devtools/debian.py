"""Installs the Debian packages that the native node, its image builds and Node's programs need.

Only missing packages are installed; the mirror is the one the machine is set up with. What a test or a bench
runs for itself is unpacked into the cache instead: nothing of it is set up or started.
"""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from devtools import console, locks, places, shell
from devtools.errors import ToolError

NODE = ("iptables", "ipset", "conntrack", "socat", "iproute2", "kmod", "openssl", "util-linux")
COMPILER = ("gcc", "libc6-dev")
BUILD = ("libseccomp-dev", "pkg-config", *COMPILER)
IMAGES = ("debootstrap", "buildah", *COMPILER)
JAVASCRIPT = ("nodejs", "npm")


def missing(packages: Iterable[str]) -> list[str]:
    """Those of the packages that are not installed."""
    wanted = sorted(set(packages))
    if shutil.which("dpkg-query") is None:
        raise ToolError(
            "the native node needs Debian or Ubuntu",
            "elsewhere run a container engine (Docker), or give a cluster with --kubeconfig",
        )
    return [name for name in wanted if not _installed(name)]


def ensure(packages: Iterable[str]) -> None:
    """Install what is missing, after one refresh of the package lists."""
    names = missing(packages)
    if not names:
        return
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    with console.step(f"install Debian packages: {' '.join(names)}"):
        shell.run(["apt-get", "update", "-q"], env=env, hint="is the Debian mirror in reach?")
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
        shell.run(command, env=env, hint=f"try: apt-get install {' '.join(names)}")


def unpacked(name: str, packages: Iterable[str]) -> Path:
    """The files of these packages below one folder of the cache, named so; what they depend on is not there."""
    home = places.cache() / "programs" / name
    with locks.held(home.with_suffix(".lock"), f"unpacking {name}"):
        if not home.exists():
            _unpack(home, sorted(set(packages)))
    return home


def _unpack(home: Path, packages: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The user as whom apt fetches must be able to write here.
        Path(folder).chmod(0o755)
        try:
            shell.run(["apt-get", "download", "-q", *packages], cwd=Path(folder))
        except ToolError:
            shell.run(["apt-get", "update", "-q"], hint="is the Debian mirror in reach?")
            shell.run(["apt-get", "download", "-q", *packages], cwd=Path(folder))
        partial = home.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for package in sorted(Path(folder).glob("*.deb")):
            shell.run(["dpkg-deb", "--extract", package, partial])
        partial.rename(home)


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return shell.answers(command) and shell.run(command) == "installed"
