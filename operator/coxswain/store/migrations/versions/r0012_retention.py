"""Files go by their bytes, and what went is what is counted."""

from coxswain.store.migrations import script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0012_retention.sql")
