"""The fast tests hold on to what they have imported.

Hardly any of it goes away again; to look through it for what nobody holds, time after time, took a
quarter of the tier's CPU.
"""

import gc

gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    """What is here before the first test stays to the last."""
    gc.collect()
    gc.freeze()
