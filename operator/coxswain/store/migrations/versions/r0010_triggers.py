"""What comes in from outside for Schedules."""

from coxswain.store.migrations import script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0010_triggers.sql")
