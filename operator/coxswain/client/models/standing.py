# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: standing."""

from coxswain.api.meta import Model


class Standing(Model):
    """One process, as it says itself."""

    component: str
    """operator, sidecar, models, egress or channels."""
    replica: str
    """Name of its pod, or of its machine."""
    id: str
    """What tells it from others of that name."""
    version: str
    """Which version of Coxswain it runs."""
    role: str
    """leader, standby or active."""
    ready: bool
    """Whether all that it needs answers."""
    broken: list[str]
    """What does not answer, by the names of /readyz."""
