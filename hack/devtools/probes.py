"""Asks whether something answers."""

import http.client


def answers(link: http.client.HTTPConnection, path: str) -> bool:
    """True if a GET of `path` gives 200; any failure to connect is a no."""
    try:
        link.request("GET", path)
        return link.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
