"""The outbox of callbacks."""

from coxswain.store.migrations import script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0004_deliveries.sql")
