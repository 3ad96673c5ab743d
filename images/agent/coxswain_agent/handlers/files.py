"""What the handlers share: input and output by the files that the environment names."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

SECONDS = 30.0


def given() -> dict[str, Any]:
    """The Job's input, which fits the type's schema."""
    found: dict[str, Any] = json.loads(Path(os.environ["COXSWAIN_INPUT"]).read_text())
    return found


def give(output: object) -> None:
    """Leave the output."""
    Path(os.environ["COXSWAIN_OUTPUT"]).write_text(json.dumps(output, ensure_ascii=False))


def ask(route: str) -> dict[str, Any]:
    """Read something of the own run at the platform door."""
    with urlopen(_request("GET", route), timeout=SECONDS) as answer:  # noqa: S310 - the door's address
        found: dict[str, Any] = json.load(answer)
    return found


def keep(name: str, content: bytes, content_type: str) -> None:
    """Keep a file as an artifact of the run."""
    request = _request("PUT", f"artifacts/{quote(name)}", content, content_type)
    with urlopen(request, timeout=SECONDS):  # noqa: S310 - the same
        return


def _request(
    method: str, route: str, content: bytes | None = None, content_type: str = "application/json"
) -> Request:
    url = f"{os.environ['COXSWAIN_URL']}/v1/run/{route}"
    return Request(url, content, {"Content-Type": content_type}, method=method)  # noqa: S310 - the same
