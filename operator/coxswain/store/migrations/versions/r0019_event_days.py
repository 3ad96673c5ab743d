"""The event log may have an end: whole days of it go, and nothing of them comes again."""

from coxswain.store.migrations import script

revision = "0019"
down_revision = "0017"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0019_event_days.sql")
