"""In which order things go wrong. Pure."""

from collections.abc import Iterator, Sequence
from random import Random


def rounds(random: Random, names: Sequence[str]) -> Iterator[str]:
    """Every name once in a drawn order, then all again in another, for ever; none twice in a row."""
    last = ""
    while True:
        order = random.sample(names, len(names))
        if order[0] == last and len(order) > 1:
            order.append(order.pop(0))
        yield from order
        last = order[-1]
