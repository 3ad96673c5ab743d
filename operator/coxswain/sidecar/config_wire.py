"""What people and this API say to each other about what the installation runs with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import ConfigDict

from coxswain.api.meta import Model, Reason
from coxswain.configuration import PREFIX
from coxswain.rules import flags as rules
from coxswain.rules.flags import Flag
from coxswain.store.flags import Said
from coxswain.store.running import Running

Kept = int | Literal["indefinite"]


class FlagChange(Model):
    """Flags that are to change. null leaves a flag to the setting of its process; what is not named stays."""

    model_config = ConfigDict(strict=True)

    schedules_enabled: bool | None = None
    """Whether any tick of a Schedule makes a Job; ticks meanwhile are skipped with the reason SwitchedOff."""
    demo_provider: bool | None = None
    """Whether Agents may name the demo provider. It cannot be switched on where mode is prod."""
    reason: Reason
    """Why, for people."""

    def wanted(self) -> dict[str, bool | None]:
        """What was named, as it stands in the table of flags."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude={"reason"})


class FlagView(Model):
    """A flag as it stands."""

    name: str
    """Its name."""
    process: str
    """The process that goes by it."""
    on: bool | None = None
    """What counts; none while no process that goes by it is known to run."""
    said_by: Literal["flag", "setting", "mode"]
    """flag: somebody set it; setting: nobody did, so that the process's own setting counts; mode: it is off
    because mode is prod."""
    changed_by: str | None = None
    """Who set it last, or took it back."""
    changed_at: datetime | None = None
    """When."""


class FlagList(Model):
    """All flags."""

    items: list[FlagView]

    @classmethod
    def of(cls, found: Mapping[str, Said], running: Sequence[Running]) -> Self:
        """As they stand, over what runs."""
        return cls(items=[_flag(rules.TABLE[name], found[name], running) for name in rules.TABLE])


class RetentionView(Model):
    """How many days records stay; indefinite: for ever."""

    events: Kept
    """The event log, with all messages, by whole days from their end."""
    deliveries: Kept
    """Callbacks and their tries, from their end."""
    records: Kept
    """Jobs and Agents that are gone, from then on."""
    audit: Kept
    """Rows of the audit log, from their sealing."""


class FilteringView(Model):
    """What is taken out of messages before they are kept or passed on."""

    content: Literal["off"] = "off"
    """Nothing is held back for its content."""
    redaction: Literal["off"] = "off"
    """Nothing is blacked out in it."""


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

    mode: Literal["dev", "prod"]
    """What it is for."""
    retention: RetentionView | None = None
    """None while no operator is known to run."""
    filtering: FilteringView = FilteringView()
    flags: list[FlagView]
    """What can be changed while it runs."""
    processes: list[ProcessView]
    """Those that told of themselves within the last minute."""

    @classmethod
    def of(cls, mode: rules.Mode, found: Mapping[str, Said], running: Sequence[Running]) -> Self:
        """As it stands."""
        return cls(
            mode=mode,
            retention=_retention(running),
            flags=FlagList.of(found, running).items,
            processes=[ProcessView(**vars(each)) for each in running],
        )


def _retention(running: Sequence[Running]) -> RetentionView | None:
    operator = _newest(running, "operator")
    if operator is None:
        return None
    names = ("events", "deliveries", "records", "audit")
    return RetentionView(**{name: _kept(operator, name) for name in names})


def _kept(operator: Running, name: str) -> Kept:
    days: int | None = _setting(operator, f"{name}_kept_days")
    return "indefinite" if days is None else days


def _flag(flag: Flag, said: Said, running: Sequence[Running]) -> FlagView:
    process, on, by_mode = _newest(running, flag.process), None, False
    if process is not None:
        mode = _setting(process, "mode")
        on = rules.is_on(flag, said.is_on, setting=_setting(process, flag.setting), mode=mode)
        by_mode = flag.is_for_dev and mode == "prod"
    return FlagView(
        name=flag.name,
        process=flag.process,
        on=on,
        said_by="mode" if by_mode else "setting" if said.is_on is None else "flag",
        changed_by=said.changed_by,
        changed_at=said.changed_at,
    )


def _newest(running: Sequence[Running], process: str) -> Running | None:
    """The one of its kind that was started last: what a change of settings comes to."""
    found = [each for each in running if each.process == process]
    return max(found, key=lambda each: each.started_at, default=None)


def _setting(process: Running, name: str) -> Any:
    return process.settings.get(f"{PREFIX}{name.upper()}")
