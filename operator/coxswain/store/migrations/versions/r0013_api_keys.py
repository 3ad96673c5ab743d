"""Keys of machines."""

from coxswain.store.migrations import script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0013_api_keys.sql")
