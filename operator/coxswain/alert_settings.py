"""From where on the sidecar API tells of an alert; the chart gives its rules the same."""

from typing import Annotated

from pydantic import Field

from coxswain.configuration import Settings


class AlertSettings(Settings):
    """Thresholds of alerts; part of the sidecar's settings."""

    alerts_queue_stalled_seconds: Annotated[int, Field(ge=1, le=2_592_000)] = 600
    """QUEUE_STALLED: a Job has waited so long for a slot, a quota, its pod or Postgres."""
    alerts_failure_rate_percent: Annotated[int, Field(ge=1, le=99)] = 50
    """HIGH_FAILURE_RATE: more than so many percent of the Jobs that ended failed."""
    alerts_failure_rate_minimum: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """HIGH_FAILURE_RATE: so many Jobs at least ended."""
    alerts_window_seconds: Annotated[int, Field(ge=60, le=86_400)] = 900
    """HIGH_FAILURE_RATE: within so long."""
