# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: lineage."""

from coxswain.api.meta import Model


class Lineage(Model):
    """The Job that another one was made from."""

    relation: str
    """Rerun: the same work once more. Child: made on account of that Job."""
    job: str
    """Its name."""
    uid: str
    """Its uid: names come again."""
    depth: int
    """How many came before, one after the other."""
    by: str
    """Who asked for it."""
