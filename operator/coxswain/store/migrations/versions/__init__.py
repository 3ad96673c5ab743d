"""One Python file per revision, its SQL beside it."""
