"""The audit log, sealed in batches."""

from coxswain.store.migrations import script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0014_audit.sql")
