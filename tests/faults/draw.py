"""A sample of many plans: fair over workloads and over what goes wrong, and the same for one seed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random

from tests.faults.plan import Plan


def some(plans: Sequence[Plan], count: int, seed: int) -> list[Plan]:
    """So many of them, or all there are: of each workload in turn one of what went wrong least so far."""
    chance = Random(seed)  # noqa: S311 - a sample, not a secret
    left: dict[str, list[Plan]] = defaultdict(list)
    for each in sorted(plans, key=lambda each: (each.workload, each.name)):
        left[each.workload].append(each)
    turns = list(left.values())
    chance.shuffle(turns)
    for pile in turns:
        chance.shuffle(pile)
    drawn: list[Plan] = []
    seen: Counter[str] = Counter()
    while len(drawn) < min(count, len(plans)):
        pile = turns[0]
        turns = [*turns[1:], pile] if len(pile) > 1 else turns[1:]
        rarest = min(pile, key=lambda each: seen[kind(each)])
        pile.remove(rarest)
        seen[kind(rarest)] += 1
        drawn.append(rarest)
    return drawn


def kind(plan: Plan) -> str:
    """What goes wrong in a plan, without where: deeds, at what, and on which side of it."""
    said = []
    for each in plan.faults:
        at = "event" if each.event else "commit" if each.commit else "request"
        words = f"{each.do} {each.when} {at}"
        if words not in said:
            said.append(words)
    return ", ".join(said)
