"""Asks for pages as any program would, and prints what came: a page, or why none.

Arguments: the certificate to trust, and the URLs.
"""

import json
import ssl
import sys
import urllib.request

SECONDS = 15


def fetched(url: str, trusted: str) -> str:
    """The page, or what the library says instead."""
    context = ssl.create_default_context(cadata=trusted)
    try:
        with urllib.request.urlopen(url, timeout=SECONDS, context=context) as answer:
            return str(answer.read().decode())
    except OSError as error:
        return str(error)


print(json.dumps([fetched(url, sys.argv[1]) for url in sys.argv[2:]]))
