"""What a restore needs of the schema: a backup's own account, positions and tokens that leap, objects made anew."""

from coxswain.store.migrations import script

revision = "0020"
down_revision = "0017"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0020_restore.sql")
