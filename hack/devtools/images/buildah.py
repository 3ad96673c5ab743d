"""Builds with buildah, where no container engine answers; its storage is ours alone.

Steps run in a chroot on the machine's own network. pip learns the machine's own settings (index,
certificates, local wheels) from a file mounted for the time of the build, so none stays inside.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import places, shell

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# pip reads its settings there too, and nothing else does.
SETTINGS = Path("/etc/xdg/pip")


def build(ref: str, containerfile: Path, context: Path) -> None:
    """Build and tag; unchanged steps come from the layer cache."""
    command = ["bud", "--isolation", "chroot", "--layers", "--pull-never", *mounts()]
    _buildah([*command, "--tag", ref, "--file", str(containerfile), str(context)])


def has(ref: str) -> bool:
    """True if the storage holds the image."""
    return shell.answers([*_base(), "inspect", "--type", "image", ref])


def tag(ref: str, other: str) -> None:
    """Give an image another name."""
    _buildah(["tag", ref, other])


def save(ref: str, archive: Path) -> None:
    """Write an OCI archive whole or not at all."""
    partial = archive.with_name(archive.name + ".partial")
    partial.unlink(missing_ok=True)
    _buildah(["push", ref, f"oci-archive:{partial}:{ref}"])
    partial.rename(archive)


def load(archive: Path) -> None:
    """Bring an archived image back into the storage."""
    _buildah(["pull", f"oci-archive:{archive}"])


def remove(ref: str) -> None:
    """Forget an old image; one that is gone or in use stays as it is."""
    shell.answers([*_base(), "rmi", ref])


@contextmanager
def session() -> Iterator[None]:
    """Around all use: buildah leaves its storage mounted upon itself."""
    _storage().mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        shell.answers(["umount", "--lazy", _storage() / "root" / "overlay"])


def pip_settings(environment: dict[str, str]) -> str:
    """The machine's PIP_ variables and certificates as a pip.conf."""
    options = {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith("PIP_")
    }
    options.pop("config-file", None)
    options.pop("cache-dir", None)
    if {"PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} & environment.keys():
        options["cert"] = str(SETTINGS / BUNDLE.name)
    lines = [f"{name} = {value}" for name, value in sorted(options.items())]
    return "\n".join(["[global]", *lines, ""])


def mounts() -> list[str]:
    """Volumes of each build step."""
    settings, cache = _storage() / "pip", _storage() / "pip-cache"
    for folder in (settings, cache):
        folder.mkdir(exist_ok=True)
    (settings / "pip.conf").write_text(pip_settings(dict(os.environ)))
    if BUNDLE.exists():
        shutil.copyfile(BUNDLE, settings / BUNDLE.name)
    words = ["--volume", f"{settings}:{SETTINGS}:ro", "--volume", f"{cache}:/root/.cache/pip"]
    for wheels in os.environ.get("PIP_FIND_LINKS", "").split():
        if Path(wheels).is_dir():
            words += ["--volume", f"{wheels}:{wheels}:ro"]
    return words


def _storage() -> Path:
    return places.cache() / "buildah"


def _base() -> list[str]:
    root = ["--root", str(_storage() / "root"), "--runroot", str(_storage() / "run")]
    return ["buildah", *root, "--storage-driver", "overlay"]


def _buildah(words: list[str]) -> None:
    shell.run([*_base(), *words], hint="is the Debian package buildah installed?")
