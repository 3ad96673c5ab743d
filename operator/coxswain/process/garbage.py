"""The interpreter's garbage collector, kept from what a leader reads at its start: all of that stays.

It goes through everything that lives each time that this has grown by a quarter, and takes longer for
ten thousand Jobs than reading them does.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spared() -> Iterator[None]:
    """Look for no garbage while a block runs, and never again among what lives at its end.

    What nobody refers to goes at once all the same; only what refers to itself would stay.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
