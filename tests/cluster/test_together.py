"""Jobs that are made together run at the same time on a real node, and each ends with its own answer."""

from datetime import datetime

from tests.support.onboarded import HELD, Workspace

JOBS = ("one", "two", "three")
# What the status says of a pod's beginning and end is in whole seconds.
LAST_SECONDS = 2


def test_three_jobs_that_are_made_together_run_together_and_all_succeed(proving: Workspace) -> None:
    proving.agent("worker")
    for name in JOBS:
        proving.command(name, "worker", "sh", "-c", f"{HELD}; sleep {LAST_SECONDS}; echo {name}")
    # None goes on before all run.
    assert {proving.running(name)["phase"] for name in JOBS} == {"Running"}
    for name in JOBS:
        proving.let_go(name)
    ended = {name: proving.ended(name) for name in JOBS}
    assert {name: status["phase"] for name, status in ended.items()} == dict.fromkeys(
        JOBS, "Succeeded"
    )
    for name, status in ended.items():
        assert status["result"]["answer"] == f"{name}\n"
        assert (len(status["attempts"]), len(proving.pods_of(name))) == (1, 1)
    attempts = [status["attempts"][0] for status in ended.values()]
    begun = [datetime.fromisoformat(each["startedAt"]) for each in attempts]
    over = [datetime.fromisoformat(each["finishedAt"]) for each in attempts]
    assert max(begun) < min(over)
