"""The first process of the container: starts the agent program, hands signals on, buries orphans.

It stays small and imports nothing heavy. Programs that an agent leaves behind become its children;
without it they would stay as zombies and count against the pod's limit of processes.
"""

import ctypes
import os
import signal
from collections.abc import Callable
from types import FrameType

HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36
SIGNALLED = 128


def supervise(program: Callable[[], int]) -> int:
    """Run ``program`` in a child process and return its exit code; 128 and the signal if killed."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Signals that come before there is anybody to hand them to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDED_ON)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDED_ON)
        os._exit(program())

    def hand_on(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    for number in HANDED_ON:
        signal.signal(number, hand_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDED_ON)
    return _bury_until(child)


def _bury_until(child: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else SIGNALLED - code
