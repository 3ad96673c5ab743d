"""Makes as many processes as it is asked for, and prints how many there were."""

import json
import os
import signal
import sys
import time


def main(wanted: int) -> None:
    """Make them, count them, end them."""
    made: list[int] = []
    try:
        while len(made) < wanted:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            made.append(child)
    except OSError:
        pass
    for child in made:
        os.kill(child, signal.SIGKILL)
    print(json.dumps(len(made)))


main(int(sys.argv[1]))
