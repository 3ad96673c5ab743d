"""Where things live: the repository, the cache of built things, the state of the native node."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GROUPS = REPOSITORY / "hack" / "node"


def cache() -> Path:
    """Built programs and images; safe to delete, kept by `hack/cluster down`."""
    chosen = os.environ.get("COXSWAIN_CACHE")
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "coxswain"


def node() -> Path:
    """All state of the native node; `hack/cluster down` removes it."""
    return Path(os.environ.get("COXSWAIN_NODE") or "/var/lib/coxswain-node").absolute()
