"""What a restore needs of the schema: a backup's own account, positions and tokens that leap, objects made anew."""

from coxswain.store.migrations import script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0019_restore.sql")
