"""Calls of tools that people have to agree to."""

from coxswain.store.migrations import script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0006_asked_calls.sql")
