"""Requests that look for files nobody serves: dotfiles, keys, dumps, other programs' pages. Pure."""

import re
from urllib.parse import unquote

# Whatever begins so is a route of ours or none at all.
_OURS = "/v1/"
_HIDDEN = re.compile(r"^\.(?!\.?$|well-known$)")
_NAMES = re.compile(
    r"^(secrets?|credentials?|passwd|shadow|backups?|dump|id_(rsa|dsa|ecdsa|ed25519)"
    r"|wp-(login|admin|content|includes|config|json)|xmlrpc|phpmyadmin|pma|phpinfo|adminer"
    r"|cgi-bin|server-status|actuator|vendor|node_modules)(\..*|$)"
)
_ENDINGS = re.compile(r"\.(php|asp|aspx|jsp|cgi|sql|bak|old|pem|key|p12|pfx|sqlite|kdbx|tfstate)$")
_CHARACTERS = 2048


def is_probe(path: str) -> bool:
    """Whether this path, as it was sent, is one that only a scanner asks for."""
    # Twice: some hide the first escape behind a second.
    plain = unquote(unquote(path[:_CHARACTERS])).lower().replace("\\", "/")
    if plain.startswith(_OURS) and "/../" not in plain:
        return False
    steps = [step for step in plain.split("/") if step]
    return any(
        _HIDDEN.search(step) or _NAMES.search(step) or _ENDINGS.search(step) for step in steps
    )
