"""Time zones by their IANA names. Which there are, the machine or the package tzdata says."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coxswain.errors import UserError

_OTHER_CLOCKS = ("posix/", "right/", "localtime", "posixrules", "Factory")
"""Files that some machines keep beside the zones: copies, leap seconds, the machine's own zone."""


def find(name: str, *, field: str) -> ZoneInfo:
    """The zone of that name. Raises UserError that names the field."""
    try:
        return ZoneInfo("" if name.startswith(_OTHER_CLOCKS) else name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        text = f"{field}: there is no time zone '{name}'; give an IANA name such as Europe/Berlin"
        raise UserError(text, field=field) from error
