"""Installs the Debian packages that the native node, its image builds and Node's programs need.

Only missing packages are installed; the mirror is the one the machine is set up with.
"""

import shutil
from collections.abc import Iterable

from devtools import console, shell
from devtools.errors import ToolError

NODE = ("iptables", "ipset", "conntrack", "socat", "iproute2", "kmod", "openssl", "util-linux")
BUILD = ("libseccomp-dev", "pkg-config", "gcc", "libc6-dev")
IMAGES = ("debootstrap", "buildah", "gcc", "libc6-dev")
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


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return shell.answers(command) and shell.run(command) == "installed"
