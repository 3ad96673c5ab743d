"""Large files in a bucket, bytes of runs, and the end of records."""

from coxswain.store.migrations import script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0007_storage.sql")
