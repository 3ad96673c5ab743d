"""The event log may have an end; and the audit log says why a person took a lease away."""

from coxswain.store.migrations import script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0018_event_days.sql")
