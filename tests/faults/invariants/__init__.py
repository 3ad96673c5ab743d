"""What must hold in every history: one predicate a file, which the file's name calls and its docstring says."""

from types import ModuleType

from tests.faults.history import Breach, History
from tests.faults.invariants import (
    answers_stand,
    attempts_without_holes,
    claims_that_began,
    conditions_in_order,
    events_equal_status,
    events_of_runs_once,
    next_attempt_waits,
    no_orphans,
    one_effect_per_attempt,
    one_job_per_key,
    one_live_pod_per_attempt,
    phases_along_the_table,
    quiet_at_the_end,
    tokens_grow,
    writes_with_precondition,
)

MODULES: tuple[ModuleType, ...] = (
    one_live_pod_per_attempt,
    one_effect_per_attempt,
    claims_that_began,
    attempts_without_holes,
    next_attempt_waits,
    no_orphans,
    phases_along_the_table,
    conditions_in_order,
    tokens_grow,
    writes_with_precondition,
    events_equal_status,
    one_job_per_key,
    events_of_runs_once,
    answers_stand,
    quiet_at_the_end,
)


def name(module: ModuleType) -> str:
    """How a report calls it."""
    return module.__name__.rpartition(".")[2].replace("_", " ")


def broken(history: History) -> dict[str, list[Breach]]:
    """What does not hold, by the name of the invariant."""
    found = {name(each): list(each.breaches(history)) for each in MODULES}
    return {each: some for each, some in found.items() if some}
