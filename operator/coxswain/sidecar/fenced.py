"""The header Coxswain-Lease: under which leases a request writes, with the token of each."""

import re

from coxswain.errors import UserError
from coxswain.web.routes import Call

HEADER = "Coxswain-Lease"
FIELD = f"header.{HEADER}"
MOST = 16
_OF_RUN = re.compile(r"(?P<name>[a-z0-9][-.a-z0-9]{0,62})=(?P<token>[0-9]{1,18})")
_OF_USER = re.compile(
    r"(?P<workspace>[a-z0-9][-a-z0-9]{0,62})/(?P<name>[a-z0-9][-.a-z0-9]{0,62})=(?P<token>[0-9]{1,18})"
)


def of_run(call: Call) -> dict[str, int]:
    """Tokens by name: leases of the run's own workspace. Raises UserError for anything else."""
    return {found["name"]: int(found["token"]) for found in _parts(call, _OF_RUN, "NAME=TOKEN")}


def of_user(call: Call) -> dict[str, dict[str, int]]:
    """Tokens by workspace and name."""
    tokens: dict[str, dict[str, int]] = {}
    for found in _parts(call, _OF_USER, "WORKSPACE/NAME=TOKEN"):
        tokens.setdefault(found["workspace"], {})[found["name"]] = int(found["token"])
    return tokens


def _parts(call: Call, form: re.Pattern[str], wanted: str) -> list[re.Match[str]]:
    given = call.header(HEADER)
    if given is None:
        return []
    found = [form.fullmatch(part.strip()) for part in given.split(",")]
    parts = [each for each in found if each is not None]
    if len(parts) < len(found) or len(parts) > MOST:
        raise UserError(f"write {wanted}, at most {MOST} of them with commas between", field=FIELD)
    if len({each.groups()[:-1] for each in parts}) < len(parts):
        raise UserError("name each lease once", field=FIELD)
    return parts
