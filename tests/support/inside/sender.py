"""Sends requests to a hook as GitHub signs them, and prints the status of each; 0 where nobody answers.

Arguments: the hook's URL, the certificates to trust, the key, and the names of deliveries. One that begins with a dash
is not signed.
"""

import hashlib
import hmac
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

CONNECT_SECONDS = 5
KNOWN_SECONDS = 45
UNKNOWN = 404


def sent(url: str, trusted: ssl.SSLContext, key: str, name: str) -> int:
    """The status of one request."""
    body = json.dumps({"delivery": name}).encode()
    signature = (
        "" if name.startswith("-") else hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    )
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS, context=trusted) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def known(url: str, trusted: ssl.SSLContext, key: str, name: str) -> int:
    """The same, once the gateway knows the hook."""
    until = time.monotonic() + KNOWN_SECONDS
    while (status := sent(url, trusted, key, name)) == UNKNOWN and time.monotonic() < until:
        time.sleep(1)
    return status


url, authority, key, first, *others = sys.argv[1:]
trusted = ssl.create_default_context(cadata=authority)
one = known(url, trusted, key, first)
print(json.dumps([one, *(sent(url, trusted, key, name) for name in others)]))
