"""What tests of this tier share: the database, and the world of a Schedule on it."""

from tests.support.postgres import (
    database,
    gateway_store,
    module_database,
    operator_store,
    postgres,
    sidecar_store,
)
from tests.support.schedule_world import world

__all__ = [
    "database",
    "gateway_store",
    "module_database",
    "operator_store",
    "postgres",
    "sidecar_store",
    "world",
]
