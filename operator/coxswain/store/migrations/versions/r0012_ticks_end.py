"""How ticks of Schedules end."""

from coxswain.store.migrations import script

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0012_ticks_end.sql")
