"""The one table of reasons: whole, and in agreement with those who go by it."""

import pytest

from coxswain.api.contract import ProviderError
from coxswain.api.job import Retry
from coxswain.rules import failures, outcome, retry
from coxswain.rules.outcome import Ended, PodEnd, RunFacts

TEN = Retry(max_attempts=10)


def test_every_code_of_the_model_gateway_stands_in_the_table() -> None:
    assert {each.code for each in failures.OF_PROVIDERS} == set(ProviderError)


@pytest.mark.parametrize("code", failures.TABLE)
def test_a_retry_is_due_exactly_where_the_table_says_so(code: str) -> None:
    row = failures.TABLE[code]
    ended = Ended("Failed" if row.uses_attempt else "Lost", code)
    assert retry.is_due(ended, TEN, used=1, lost=1) is row.transient
    assert ended.uses_attempt is row.uses_attempt


@pytest.mark.parametrize(
    "pod",
    [
        None,
        PodEnd(succeeded=False, disrupted=True),
        PodEnd(succeeded=False, exit_code=1),
        PodEnd(succeeded=False, pod_reason="DeadlineExceeded"),
        PodEnd(succeeded=False, pod_reason="Evicted"),
        PodEnd(succeeded=False, container_reason="OOMKilled"),
    ],
)
@pytest.mark.parametrize("acts", [(), ("send mail",)])
def test_whatever_a_pod_ends_with_has_a_row(pod: PodEnd | None, acts: tuple[str, ...]) -> None:
    run = RunFacts(claimed=True, acts_open=acts)
    assert outcome.judge(pod, run, timed_out=False, repeatable=False).reason in failures.TABLE
