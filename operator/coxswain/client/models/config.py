# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: config."""

from datetime import datetime
from typing import Any

from pydantic import Field

from coxswain.api.meta import Model


class RetentionView(Model):
    """How many days records stay; indefinite: for ever."""

    events: int | str
    """The event log, with all messages, by whole days from their end."""
    deliveries: int | str
    """Callbacks and their tries, from their end."""
    records: int | str
    """Jobs and Agents that are gone, from then on."""
    audit: int | str
    """Rows of the audit log, from their sealing."""


class FilteringView(Model):
    """What is taken out of messages before they are kept or passed on."""

    content: str = "off"
    """Nothing is held back for its content."""
    redaction: str = "off"
    """Nothing is blacked out in it."""


class FlagView(Model):
    """A flag as it stands."""

    name: str
    """Its name."""
    process: str
    """The process that goes by it."""
    on: bool | None = None
    """What counts; none while no process that goes by it is known to run."""
    said_by: str
    """flag: somebody set it; setting: nobody did, so that the process's own setting counts; mode: it is off
    because mode is prod.
    """
    changed_by: str | None = None
    """Who set it last, or took it back."""
    changed_at: datetime | None = None
    """When."""


class ProcessView(Model):
    """A process at work."""

    process: str
    """What it is."""
    instance: str
    """Name of its pod."""
    started_at: datetime
    """When it was started."""
    seen_at: datetime
    """When it told of itself last."""
    settings: dict[str, Any]
    """Its settings by their names; of a secret only whether it is set."""


class RunningConfig(Model):
    """What the installation runs with, as its processes tell it."""

    mode: str
    """What it is for."""
    retention: RetentionView | None = None
    """None while no operator is known to run."""
    filtering: FilteringView = Field(default_factory=FilteringView)
    flags: list[FlagView]
    """What can be changed while it runs."""
    processes: list[ProcessView]
    """Those that told of themselves within the last minute."""


class FlagList(Model):
    """All flags."""

    items: list[FlagView]
