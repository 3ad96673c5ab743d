"""Idempotency keys, and indexes for reports."""

from coxswain.store.migrations import script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0005_types_and_keys.sql")
