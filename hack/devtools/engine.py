"""A container engine with Docker's command line, where one answers.

Written for machines that have one; on a machine without, nothing here can be tried but `answers`.
"""

import functools
from pathlib import Path

from devtools import shell


@functools.cache
def answers() -> bool:
    """True if `docker info` does."""
    return shell.answers(["docker", "info"])


def has(ref: str) -> bool:
    """True if the engine holds the image."""
    return shell.answers(["docker", "image", "inspect", ref])


def build(ref: str, context: Path) -> None:
    """Build and tag from a staged context; the base comes from the public registry."""
    containerfile = context / "Containerfile"
    shell.run(
        ["docker", "build", "--tag", ref, "--file", containerfile, context],
        hint="can the engine pull the public base image?",
    )
