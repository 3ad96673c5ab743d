"""What an alert is, and all of them."""

from dataclasses import dataclass
from typing import Literal

PREFIX = "Coxswain"
Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Alert:
    """One rule. ``summary`` is one line for the list, ``description`` says what is seen and what it costs.

    Critical: nothing works, or not for long. Warning: look within the day. Info: a person is waited for.
    """

    name: str
    expr: str
    lasts: str
    severity: Severity
    summary: str
    description: str

    @property
    def title(self) -> str:
        """Its name in Prometheus, and that of its runbook."""
        return f"{PREFIX}{self.name}"
