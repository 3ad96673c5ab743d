"""Builds the pinned Go programs once and keeps them in the cache, keyed by what they are made of.

A group is built into a partial folder and renamed when whole, under a lock: a killed build
leaves nothing that looks finished, and two builders never meet.

    bin_folder = programs.ensure("kubernetes")
    programs.tool("helm")          # from PATH if recent enough, else built
"""

import functools
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from devtools import console, locks, places, shell
from devtools.errors import ToolError
from devtools.groups import BY_NAME, Group

GO_AT_LEAST = (1, 26)
KUBECTL_AT_LEAST = (1, 34)
HELM_AT_LEAST = (4, 0)


def go_version() -> str:
    """The local Go, or an error that says which one is needed."""
    wanted = "Go {}.{} or newer".format(*GO_AT_LEAST)
    hint = f"install {wanted} and put its bin folder on PATH"
    if shutil.which("go") is None:
        raise ToolError(f"{wanted} is needed to build cluster programs; none found", hint)
    version = shell.run(["go", "env", "GOVERSION"]).strip()
    if _numbers(version) < GO_AT_LEAST:
        raise ToolError(f"{wanted} is needed to build cluster programs; found {version}", hint)
    return version


def key(group: Group, go: str) -> str:
    """Twelve hex digits that change with everything that changes the programs."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        path = group.folder / name
        digest.update(name.encode() + b"\0")
        digest.update(path.read_bytes() if path.exists() else b"")
    recipe = [go, group.packages, group.names, group.tags, group.cgo, group.share]
    digest.update(json.dumps([*recipe, group.link_flags()]).encode())
    return digest.hexdigest()[:12]


def home(name: str) -> Path:
    """The folder of a built group, whether or not it exists yet: bin/ and share/."""
    group = BY_NAME[name]
    return places.cache() / "programs" / f"{name}-{key(group, go_version())}"


def ensure(name: str) -> Path:
    """Build the group unless the cache has it; return its bin folder."""
    if name not in BY_NAME:
        raise ToolError(f"no program group {name!r}", f"groups: {', '.join(BY_NAME)}")
    folder = home(name)
    if folder.exists():
        return folder / "bin"
    group = BY_NAME[name]
    with locks.held(folder.parent / f"{name}.lock", f"building {name}"):
        if not folder.exists():
            with console.step(f"build {name} {group.version()} (Go modules)"):
                _build(group, folder)
    return folder / "bin"


def share(name: str) -> Path:
    """The files kept beside the programs of a group."""
    return ensure(name).parent / "share"


def tool(name: str) -> Path:
    """kubectl, helm or another client: the one on PATH if recent enough, else ours.

    Its version is asked for once: a caller may need it thousands of times.
    """
    return _tool(name, os.environ.get("PATH", ""), places.cache())


@functools.cache
def _tool(name: str, _path: str, _cache: Path) -> Path:
    minimum = {"kubectl": KUBECTL_AT_LEAST, "helm": HELM_AT_LEAST}.get(name)
    found = shutil.which(name)
    if found and (minimum is None or client_version(name, found) >= minimum):
        return Path(found)
    return ensure("kubernetes" if name == "kubectl" else name) / name


def client_version(name: str, program: str) -> tuple[int, int]:
    """Major and minor of a client; (0, 0) if it does not say."""
    words = ["version", "--client"] if name == "kubectl" else ["version", "--short"]
    try:
        return _numbers(shell.run([program, *words]))
    except ToolError:
        return (0, 0)


def _numbers(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _build(group: Group, folder: Path) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    for program, package in group.packages.items():
        _compile(group, package, partial / "bin" / program)
    only = next(iter(group.packages))
    for other in group.names:
        (partial / "bin" / other).symlink_to(only)
    for target, source in group.share.items():
        _keep(group, source, partial / "share" / target)
    partial.rename(folder)


def _compile(group: Group, package: str, target: Path) -> None:
    words = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", group.link_flags()]
    if group.tags:
        words += ["-tags", group.tags]
    needs = f"; it needs {' '.join(group.debian)}" if group.debian else ""
    shell.run(
        [*words, "-o", target, package],
        cwd=group.folder,
        env=_environment(group),
        hint=f"is the Go module proxy of this machine in reach, is the disk full{needs}?",
    )


def _environment(group: Group) -> dict[str, str]:
    return {"GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "1" if group.cgo else "0", "GOWORK": "off"}


def _keep(group: Group, source: str, target: Path) -> None:
    """Copy a file or folder out of the module cache, which is read-only and may be cleaned."""
    module = shell.run(
        ["go", "list", "-m", "-mod=readonly", "-f", "{{.Dir}}", group.module],
        cwd=group.folder,
        env=_environment(group),
    ).strip()
    target.parent.mkdir(parents=True, exist_ok=True)
    origin = Path(module) / source
    if origin.is_dir():
        shutil.copytree(origin, target, copy_function=shutil.copyfile)
        for path in (target, *target.rglob("*")):
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
    else:
        shutil.copyfile(origin, target)
