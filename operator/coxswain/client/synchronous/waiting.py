"""Waiting, and doing something again and again in a thread. Its twin with ``await`` is by hand too."""

import threading
import time
from collections.abc import Callable

Sleep = Callable[[float], None]
sleep: Sleep = time.sleep


class Repeating:
    """Calls something every so many seconds until it says False, or is stopped."""

    def __init__(self, call: Callable[[], bool], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first call comes after the first wait."""
        self._thread = threading.Thread(target=self._run, name="coxswain-renewals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No call begins after this; one that is under way is waited for."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            if not self._call():
                return
