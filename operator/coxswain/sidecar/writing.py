"""Writes of a run: refused as at the door where the run is over meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from coxswain.errors import ConflictError, UnauthenticatedError
from coxswain.store import claims


@contextmanager
def at_the_door() -> Iterator[None]:
    """A run that is over meanwhile answers as one that comes late."""
    try:
        yield
    except ConflictError as error:
        if error.code != claims.RUN_CLOSED:
            raise
        raise UnauthenticatedError(error.message, code=error.code) from error
