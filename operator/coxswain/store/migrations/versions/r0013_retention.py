"""Files go by their bytes, and what went is what is counted."""

from coxswain.store.migrations import script

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0013_retention.sql")
