"""What tests of this tier share beside the database itself."""

from tests.support.schedule_world import world

__all__ = ["world"]
