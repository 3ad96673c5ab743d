"""What an image is made of: its Containerfile and the files that it copies, as one digest.

The inputs are read from the COPY and ADD lines, so no list beside the Containerfile can go stale;
the build sees a staged copy of exactly these files, so the digest cannot miss one.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from devtools.errors import ToolError


def sources(containerfile: str) -> list[str]:
    """The paths in the build context that a Containerfile copies."""
    found: list[str] = []
    for line in containerfile.replace("\\\n", " ").splitlines():
        words = line.split()
        if not words or words[0].upper() not in ("COPY", "ADD"):
            continue
        if any(word.startswith("--from=") for word in words):
            continue
        paths = [word for word in words[1:] if not word.startswith("--")]
        found += [path.rstrip("/") for path in paths[:-1]]
    return sorted(set(found))


def files(context: Path, paths: list[str]) -> list[Path]:
    """All files below the paths that Git does not ignore, relative to the context."""
    found: set[Path] = set()
    for pattern in paths:
        matches = [context] if pattern == "." else list(context.glob(pattern))
        if not matches:
            raise ToolError(f"an image copies {pattern}, which does not exist in {context}")
        for match in matches:
            found.update(_below(context, match) if match.is_dir() else {match})
    return sorted(path.relative_to(context) for path in found)


def digest(context: Path, paths: list[Path], *salt: str) -> str:
    """Twelve hex digits over names, modes and contents."""
    total = hashlib.sha256("\0".join(salt).encode())
    for path in paths:
        executable = (context / path).stat().st_mode & 0o111 != 0
        total.update(f"\0{path}\0{executable}\0".encode())
        total.update(hashlib.sha256((context / path).read_bytes()).digest())
    return total.hexdigest()[:12]


def stage(context: Path, paths: list[Path], target: Path) -> None:
    """Copy the inputs to an empty folder, with plain modes, as the context of a build."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in paths:
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(context / path, copy)
        copy.chmod(0o755 if (context / path).stat().st_mode & 0o111 else 0o644)


def _below(context: Path, folder: Path) -> set[Path]:
    command = ["git", "-C", str(context), "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [context / name.decode() for name in listed.stdout.split(b"\0") if name]
        return {path for path in paths if path.is_file()}
    every = (path for path in folder.rglob("*") if path.is_file())
    return {path for path in every if "__pycache__" not in path.parts}
