"""Leases, their lines, and the tokens that a run writes under."""

from coxswain.store.migrations import script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0008_leases.sql")
