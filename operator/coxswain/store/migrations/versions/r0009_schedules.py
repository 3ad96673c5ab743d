"""Schedules, their ticks, and what people asked of them."""

from coxswain.store.migrations import script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0009_schedules.sql")
