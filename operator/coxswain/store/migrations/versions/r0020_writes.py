"""Functions that make writes cheaper: appended events, and their rows in the audit log."""

from coxswain.store.migrations import script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0020_writes.sql")
