"""Errors of the driver become ours, here and nowhere else; the cause is kept.

Messages of the server are passed on only where a caller's own input is wrong: others may hold
details of the schema.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from coxswain.errors import ConflictError, CoxswainError, UnavailableError, UserError

LOST = "connection_lost"
COLLIDED = "transaction_conflict"
TIMED_OUT = "database_timeout"
NOT_READY = "database_not_ready"

# SQLSTATE, whole or its first two characters, to what the caller is told.
_OURS = "CX001"
_COLLISIONS = ("40001", "40P01", "55P03")
_UNAVAILABLE = {
    "57014": (TIMED_OUT, "the database took too long"),
    "25P03": (TIMED_OUT, "the database took too long"),
    "25P04": (TIMED_OUT, "the database took too long"),
    "25006": (NOT_READY, "the database takes no writes now"),
    "42P01": (NOT_READY, "the database has no schema yet"),
    "42883": (NOT_READY, "the database has no schema yet"),
    "3D000": (NOT_READY, "the database is not there"),
    "28": (NOT_READY, "the database refuses our user or password"),
    "53": (NOT_READY, "the database is out of room or connections"),
    "58": (NOT_READY, "the database cannot read or write its files"),
    "57": (LOST, "the database is stopping or starting"),
    "08": (LOST, "the connection to the database was lost"),
}


@contextmanager
def translated() -> Iterator[None]:
    """Wrap calls of the driver; only those."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _of_server(error) from error
    except TimeoutError as error:
        raise UnavailableError("the database took too long", code=TIMED_OUT) from error
    except ssl.SSLCertVerificationError as error:
        text = f"the database's certificate is not trusted: {error.verify_message}"
        raise UnavailableError(text, code=NOT_READY) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise UnavailableError("the connection to the database was lost", code=LOST) from error


def is_passing(error: Exception) -> bool:
    """Whether the same again, at once, may well succeed."""
    return isinstance(error, UnavailableError) and error.code in {LOST, COLLIDED}


def _of_server(error: asyncpg.PostgresError) -> CoxswainError:
    state = error.sqlstate or ""
    if state == _OURS:
        return UserError(str(error), code="event_time", field="id")
    if state in _COLLISIONS:
        return UnavailableError("two transactions collided", code=COLLIDED)
    known = _UNAVAILABLE.get(state) or _UNAVAILABLE.get(state[:2])
    if known is not None:
        code, message = known
        return UnavailableError(message, code=code)
    if state.startswith("22"):
        return UserError(f"the database cannot keep this value: {error}")
    if state == "23505":
        return ConflictError("it is there already", code="already_exists")
    if state.startswith("23"):
        return UserError("the database refuses this value")
    return CoxswainError(f"the database refused a statement ({state})", code="database_refused")
