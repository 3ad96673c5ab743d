"""Asks for another run with its own identity, and prints how the platform door answered.

Argument: the run it is after.
"""

import json
import os
import sys
import urllib.error
import urllib.request


def main(run: str) -> None:
    """Claim somebody else's run, then its own again."""
    codes = []
    for wanted in (run, os.environ["COXSWAIN_RUN"]):
        request = urllib.request.Request(
            os.environ["COXSWAIN_URL"] + "/v1/run/claim",
            data=json.dumps({"run": wanted}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                codes.append(answer.status)
        except urllib.error.HTTPError as error:
            codes.append(error.code)
    print(json.dumps(codes))


main(sys.argv[1])
