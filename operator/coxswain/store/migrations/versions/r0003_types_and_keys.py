"""Idempotency keys, and indexes for reports."""

from coxswain.store.migrations import script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0003_types_and_keys.sql")
