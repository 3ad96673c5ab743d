"""Chooses how this machine gets a cluster: one that exists, kind, or the native node.

The kind path is written for machines where a container engine answers; it could not be run where
it was written, where none does.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from devtools import engine
from devtools.errors import ToolError
from devtools.existing import Existing
from devtools.kind import Kind
from devtools.native import Native
from devtools.node import preflight, settings


class Provider(Protocol):
    """What every kind of cluster can do."""

    @property
    def name(self) -> str:
        """What to call it."""

    def up(self) -> None:
        """Make it, or repair it."""

    def down(self) -> None:
        """Remove what `up` made."""

    def status(self) -> dict[str, bool]:
        """Its parts and whether they are well; empty if there is none."""

    def load(self, ref: str) -> None:
        """Make a built image usable by its pods."""

    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""


def choose(given: str | None = None, has_engine: Callable[[], bool] = engine.answers) -> Provider:
    """An existing cluster if one is named, else kind if an engine answers, else the native node."""
    named = given or os.environ.get("COXSWAIN_KUBECONFIG")
    if named:
        return Existing(Path(named).absolute())
    if settings.current().before.exists():
        return Native()
    if has_engine():
        return Kind()
    lacking = preflight.lacking()
    if lacking:
        raise ToolError(
            "no way to a cluster: no container engine answers (`docker info`), and the native node"
            " lacks " + "; ".join(lacking),
            "start Docker, or provide what is missing, or give a cluster with --kubeconfig FILE",
        )
    return Native()
