"""The base image of the native node: Debian's own Python under the name that Containerfiles use.

With a container engine the public image of that name is used instead; nothing here runs then.
"""

import os
import re
import shutil
from pathlib import Path

from devtools import console, places, shell
from devtools.errors import ToolError
from devtools.images import buildah

NAME = "docker.io/library/python:3.13-slim"
RELEASE = "trixie"
FOLDER = places.REPOSITORY / "images" / "base"
SOURCES = Path("/etc/apt")


def build(ref: str, context: Path) -> None:
    """Make a root file system from Debian packages and pack it."""
    root = context / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    packages = ",".join((FOLDER / "packages").read_text().split())
    with console.step(f"debootstrap {RELEASE} with Debian's Python"):
        command = ["debootstrap", "--variant=minbase", f"--include={packages}", RELEASE]
        shell.run(
            [*command, root, mirror()],
            hint="is the Debian mirror in reach? COXSWAIN_DEBIAN_MIRROR names another one",
        )
    shell.run(["sh", FOLDER / "trim", root])
    shell.run(["tar", "--numeric-owner", "-C", root, "-cf", context / "rootfs.tar", "."])
    shutil.rmtree(root)
    shutil.copyfile(FOLDER / "Containerfile", context / "Containerfile")
    buildah.build(ref, context / "Containerfile", context)


def mirror() -> str:
    """The Debian mirror of this machine's own apt settings."""
    chosen = os.environ.get("COXSWAIN_DEBIAN_MIRROR")
    if chosen:
        return chosen
    places_to_look = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]
    for path in places_to_look:
        found = find_mirror(path.read_text()) if path.is_file() else None
        if found:
            return found
    raise ToolError("no Debian mirror found in /etc/apt", "set COXSWAIN_DEBIAN_MIRROR to one")


def find_mirror(sources: str) -> str | None:
    """The first archive (not security, not a vendor's) in either format of apt's sources."""
    lines = [line.strip() for line in sources.splitlines() if not line.lstrip().startswith("#")]
    addresses: list[str] = []
    for line in lines:
        if line.startswith("URIs:"):
            addresses += line.split()[1:]
        elif line.startswith("deb "):
            addresses += [word for word in line.split() if "://" in word][:1]
    return next((each for each in addresses if re.search(r"/debian/?$", each)), None)
