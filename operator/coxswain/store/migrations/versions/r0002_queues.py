"""Queues of Jobs in the mirror."""

from coxswain.store.migrations import script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0002_queues.sql")
