"""``coxswain-log``: prints what the event log holds, since a time, and what matters to security alone.

The API's address and a token are in COXSWAIN_URL and COXSWAIN_TOKEN. 0 all of it was printed, 1 the API refused or
was not reached, 2 a wrong call. Standard output has the events alone, so a program can read it.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TextIO

from coxswain.client import Client, ClientError
from coxswain.client.models import EventView

ADDRESS, TOKEN = "COXSWAIN_URL", "COXSWAIN_TOKEN"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
    out: TextIO | None = None,
) -> int:
    """Run the command with these arguments, or the process's own."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if missing := [name for name in (ADDRESS, TOKEN) if not environment.get(name)]:
        parser.error(f"{' and '.join(missing)} must be set: the API's address, and your token")
    try:
        client = Client(environment[ADDRESS], environment[TOKEN])
    except ValueError as error:
        parser.error(f"{ADDRESS}: {error}")
    try:
        with client:
            _print_all(client, given, out or sys.stdout)
    except ClientError as error:
        _tell(f"{error.field or error.code}: {error}")
        return 1
    except BrokenPipeError:
        # Who read has enough, as head does; what is left in the buffer must go nowhere at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def instant(text: str, now: datetime) -> datetime:
    """The time that ``--since`` names: so long ago, or an instant with its zone. Raises ValueError."""
    ago = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if ago is not None:
        try:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        except OverflowError as error:
            raise ValueError("so long ago there was nothing") from error
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs its zone, such as Z at its end")
    return found


def line(event: EventView) -> str:
    """An event for people: when, where in the log, what, about which object, by whom, and its data."""
    about = "/".join(each for each in (event.workspace, event.kind, event.name) if each)
    attempt = "" if event.attempt is None else f"#{event.attempt}"
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    told = f"{at} {event.position} {event.type} {about or '-'}{attempt} {event.actor}"
    # Neither a name of somebody's nor what an agent said may speak to the terminal.
    return f"{_printable(told)} {json.dumps(event.details)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coxswain-log", description=__doc__)
    parser.add_argument(
        "--since", type=_since, help="so long ago (90s, 15m, 2h, 7d), or 2026-11-30T10:00:00Z"
    )
    parser.add_argument("--security", action="store_true", help="what matters to security alone")
    parser.add_argument("--workspace", help="of this workspace alone")
    parser.add_argument("--type", help="of this type alone, job.failed; of all that begin so, job.")
    parser.add_argument("--after", type=int, default=0, help="behind this position of the log")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    return parser


def _since(text: str) -> datetime:
    try:
        return instant(text, datetime.now(UTC))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {error}") from error


def _print_all(client: Client, given: argparse.Namespace, out: TextIO) -> None:
    found = client.events.list(
        after=given.after,
        workspace=given.workspace,
        type=given.type,
        since=given.since,
        security=given.security,
    )
    for each in found:
        if not isinstance(each, EventView):
            _tell(f"what came before position {each.oldest} is not kept any more")
        elif given.output == "json":
            out.write(f"{json.dumps(each.to_wire())}\n")
        else:
            out.write(f"{line(each)}\n")
    out.flush()


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _tell(text: str) -> None:
    sys.stderr.write(f"coxswain-log: {_printable(text)}\n")


if __name__ == "__main__":
    sys.exit(main())
