"""Instants as Kubernetes writes them: RFC 3339 in UTC."""

from datetime import UTC, datetime


def text(at: datetime) -> str:
    """Write an instant, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(value: str | None) -> datetime | None:
    """Read an instant; None stays None."""
    return None if value is None else datetime.fromisoformat(value)
