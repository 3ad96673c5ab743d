"""A process that has imported what we run and done nothing else, and is copied instead of starting anew.

    python -m tests.support.warm_server

A line of JSON on stdin is an order, a line on stdout its answer, a number:

    {"verb": VERB, "environment": {...}, "log": FILE}    a copy runs `python -m coxswain VERB`; its pid
    {"reap": PID}       waits for a copy that has ended; its exit code, as Popen has it

The operator is imported at once, another verb where it is ordered first.

A copy is a process of its own, with its own session, environment and log, from the first line of
`coxswain/__main__.py` on; what starts itself anew there does so by exec, and imports all. It stays
a zombie until it is reaped, so that its pid means nobody else. All copies end with this process,
and this one where stdin ends.
"""

import gc
import json
import os
import runpy
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from devtools import children

PROGRAM = "coxswain"
Verb = Literal["operator", "sidecar"]
MODULES: dict[Verb, str] = {
    "operator": "coxswain.process.replica",
    "sidecar": "coxswain.sidecar.process",
}
TASKS = Path("/proc/self/task")


def main() -> None:
    """Import, take orders, and be what is ordered where this is a copy."""
    load("operator")
    order = serve()
    if order is not None:
        _become(order)
        runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)


def serve() -> Mapping[str, Any] | None:
    """Answer orders until there are no more; what it is to be, in a copy."""
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            load(order["verb"])
            answer = os.fork()
            if answer == 0:
                return dict(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    return None


@cache
def load(verb: Verb) -> None:
    """All that a process of this verb imports on its way to work."""
    import_module(MODULES[verb])
    if verb == "operator":
        import_module("coxswain.process.host").room_modules()
    alone = len(list(TASKS.iterdir()))
    if alone != 1:
        sys.exit(f"{alone} threads run after the imports; a copy would have none of the others")
    # What all copies share is never looked at again, and so stays shared.
    gc.collect()
    gc.freeze()


def _become(order: Mapping[str, Any]) -> None:
    """Leave all behind that is the server's."""
    os.setsid()
    children.die_with_parent()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [PROGRAM, order["verb"]]
    sys.orig_argv = [sys.executable, "-m", *sys.argv]


if __name__ == "__main__":
    main()
