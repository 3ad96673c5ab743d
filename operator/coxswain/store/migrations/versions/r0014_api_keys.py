"""Keys of machines."""

from coxswain.store.migrations import script

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0014_api_keys.sql")
