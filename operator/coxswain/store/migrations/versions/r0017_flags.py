"""Flags that change at run time, and what runs with which settings."""

from coxswain.store.migrations import script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0017_flags.sql")
