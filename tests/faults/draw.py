"""A sample of many plans: fair over workloads and over what goes wrong, and the same for one seed. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from random import Random

from tests.faults.plan import Plan


def some(plans: Sequence[Plan], count: int, seed: int) -> list[Plan]:
    """So many of them, or all there are: one of each kind, then a second of each, in a drawn order."""
    chance = Random(seed)  # noqa: S311 - a sample, not a secret
    kinds: dict[tuple[str, str], list[Plan]] = defaultdict(list)
    for each in sorted(plans, key=lambda each: (each.workload, each.name)):
        kinds[each.workload, kind(each)].append(each)
    piles = list(kinds.values())
    chance.shuffle(piles)
    for pile in piles:
        chance.shuffle(pile)
    longest = max(map(len, piles), default=0)
    turns = (pile[turn] for turn in range(longest) for pile in piles if turn < len(pile))
    return list(islice(turns, count))


def kind(plan: Plan) -> str:
    """What goes wrong in a plan, without where: deeds, at what, and on which side of it."""
    said = []
    for each in plan.faults:
        at = "event" if each.event else "commit" if each.commit else "request"
        words = f"{each.do} {each.when} {at}"
        if words not in said:
            said.append(words)
    return ", ".join(said)
