"""Events have the version of their type, and say whether they matter to security."""

from coxswain.store.migrations import script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0016_event_types.sql")
