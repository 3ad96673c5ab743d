"""Builds images that are missing and keeps them: in the engine, or as archives in the cache.

ref = store.ensure("agent")        # localhost/coxswain/agent:<digest>
store.archive(ref)                 # its OCI archive; only where buildah builds
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from devtools import console, debian, engine, locks, places
from devtools.errors import ToolError
from devtools.images import base, buildah, catalog
from devtools.images.catalog import Image

KEPT = 2


def ensure(name: str) -> str:
    """Build the image unless its content was built before; return its full name."""
    image = catalog.find(name)
    if engine.answers():
        if name in catalog.NODE:
            raise ToolError(f"{name} belongs to the native node; an engine brings its own")
        if not engine.has(image.ref):
            with console.step(f"build {image.ref} (docker)"):
                _with_context(image, lambda context: engine.build(image.ref, context))
        return image.ref
    if not archive(image.ref).exists():
        _build_here(image)
    return image.ref


def archive(ref: str) -> Path:
    """Where the OCI archive of one of our images is kept."""
    name, _, tag = ref.rpartition("/")[2].partition(":")
    return places.cache() / "images" / f"{name}-{tag}.tar"


def _build_here(image: Image) -> None:
    debian.ensure(debian.IMAGES)
    target = archive(image.ref)
    with locks.held(places.cache() / "images" / "build.lock", "building images"):
        if target.exists():
            return
        with buildah.session():
            if image.on_base:
                _bring_base()
            with console.step(f"build {image.ref} (buildah)"):
                _with_context(image, lambda context: _build(image, context))
                buildah.save(image.ref, target)
            _forget_old(image)


def _build(image: Image, context: Path) -> None:
    if image.name == "base":
        base.build(image.ref, context)
    else:
        buildah.build(image.ref, context / "Containerfile", context)


def _bring_base() -> None:
    """Have the base in buildah's storage under the name that Containerfiles use."""
    image = catalog.find("base")
    target = archive(image.ref)
    if not target.exists():
        with console.step(f"build {image.ref} (buildah)"):
            _with_context(image, lambda context: base.build(image.ref, context))
            buildah.save(image.ref, target)
        _forget_old(image)
    elif not buildah.has(image.ref):
        buildah.load(target)
    buildah.tag(image.ref, base.NAME)


def _with_context(image: Image, build: Callable[[Path], None]) -> None:
    context = places.cache() / "images" / f"{image.name}.context"
    shutil.rmtree(context, ignore_errors=True)
    try:
        image.prepare(context)
        build(context)
    finally:
        shutil.rmtree(context, ignore_errors=True)


def _forget_old(image: Image) -> None:
    """Keep the newest archives of an image, so that going back one change costs nothing."""
    folder = places.cache() / "images"
    all_of_it = [
        path for path in folder.glob("*.tar") if path.stem.rpartition("-")[0] == image.name
    ]
    newest_first = sorted(all_of_it, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[KEPT:]:
        path.unlink()
        buildah.remove(f"{catalog.PREFIX}/{image.name}:{path.stem.rpartition('-')[2]}")
