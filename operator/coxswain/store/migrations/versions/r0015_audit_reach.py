"""A little of the audit log is found, and dropped, without reading the rest."""

from coxswain.store.migrations import script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0015_audit_reach.sql")
