"""Schedules, their ticks, and what people asked of them."""

from coxswain.store.migrations import script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0008_schedules.sql")
