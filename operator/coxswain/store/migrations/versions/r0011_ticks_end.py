"""How ticks of Schedules end."""

from coxswain.store.migrations import script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Execute the SQL beside this file."""
    script.execute("0011_ticks_end.sql")
