# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: health."""

from coxswain.api.meta import Model
from coxswain.client.models.standing import Standing


class ComponentHealth(Model):
    """One component."""

    name: str
    """operator, sidecar, models, egress or channels."""
    state: str
    """ok; impaired: it works, and something of it does not; broken: nobody does its work."""
    replicas: list[Standing]
    """Its processes, each as it says itself."""
    silent: list[str]
    """Ids of processes that are connected to the database and did not answer in time."""


class HealthView(Model):
    """All components at this moment."""

    state: str
    """The worst of them."""
    asked: bool
    """Whether all could be asked; where not, the database does not answer or tells this process nothing, and
    the only process told of is the one that answers here.
    """
    components: list[ComponentHealth]
    """Those that every installation has, and others that are there."""
