"""Phases of pods and Jobs that nothing leaves, told from raw objects. Pure."""

from collections.abc import Mapping
from typing import Any

ENDED = ("Succeeded", "Failed", "Cancelled")
"""A pod has only the first two."""


def has_ended(raw: Mapping[str, Any]) -> bool:
    """Whether a pod or a Job is in one of them."""
    return (raw.get("status") or {}).get("phase") in ENDED
