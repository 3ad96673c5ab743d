"""A process that its watchdog starts anew, really started."""

import os
import signal
import subprocess
import sys

from coxswain.process import watchdog

STARTS_ANEW_AND_IS_SLOW_TO_LISTEN = """
import os, signal, sys
from coxswain.process import watchdog
if watchdog.RESTARTS_VARIABLE not in os.environ:
    watchdog.restart("test")
print("anew", flush=True)
sys.stdin.readline()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
watchdog.heed()
"""


def test_a_process_that_starts_anew_ends_in_order_when_told_so_before_it_listens() -> None:
    bare = {k: v for k, v in os.environ.items() if k != watchdog.RESTARTS_VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ANEW_AND_IS_SLOW_TO_LISTEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=bare,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"anew\n"
        process.send_signal(signal.SIGTERM)
        # It listens only after it was told.
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.wait(timeout=10) == 7
