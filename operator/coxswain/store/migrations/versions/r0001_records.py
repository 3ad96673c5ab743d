"""The first tables. Revisions are counted: 0001, 0002."""

from coxswain.store.migrations import script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0001_records.sql")
