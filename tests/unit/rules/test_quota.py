"""What fits beside what runs."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coxswain.rules import quota
from coxswain.rules.quota import QuotaState

POD = quota.demand([{"cpu": "100m", "memory": "512Mi"}], [{"cpu": "1", "memory": "512Mi"}])


def _state(hard: dict[str, str], used: dict[str, str]) -> QuotaState:
    return QuotaState("q", quota.amounts(hard), quota.amounts(used))


def test_a_pod_counts_under_every_name_that_quotas_use() -> None:
    assert POD["pods"] == POD["count/pods"] == 1
    assert POD["cpu"] == POD["requests.cpu"] == Decimal("0.1")
    assert POD["limits.cpu"] == 1


def test_containers_that_run_at_the_same_time_add_up_in_one_pod() -> None:
    taken = quota.demand(
        [{"cpu": "100m", "memory": "1Gi", "nvidia.com/gpu": "1"}, {"cpu": "20m", "memory": "1Mi"}],
        [{"cpu": "1"}, {"cpu": "500m"}],
    )
    assert taken["pods"] == 1
    assert (taken["cpu"], taken["requests.cpu"]) == (Decimal("0.12"), Decimal("0.12"))
    assert taken["requests.memory"] == 2**30 + 2**20
    assert taken["requests.nvidia.com/gpu"] == 1
    assert taken["limits.cpu"] == Decimal("1.5")


def test_what_fits_exactly_fits() -> None:
    assert quota.shortfall([_state({"pods": "3"}, {"pods": "2"})], POD) is None


def test_a_shortfall_names_quota_resource_and_need() -> None:
    said = quota.shortfall([_state({"requests.cpu": "150m"}, {"requests.cpu": "100m"})], POD)
    assert said is not None
    assert "quota q has 0.050 of 0.150 requests.cpu left, 0.100 needed" in said


def test_a_quota_over_what_a_pod_does_not_take_never_blocks() -> None:
    assert quota.shortfall([_state({"services": "0"}, {})], POD) is None


def test_an_unknown_unit_is_left_out() -> None:
    assert quota.amounts({"cpu": "1", "odd": "many"}) == {"cpu": Decimal(1)}


@given(st.integers(0, 50), st.integers(0, 50))
def test_one_more_fits_while_there_is_room(hard: int, used: int) -> None:
    state = _state({"pods": str(hard)}, {"pods": str(used)})
    assert (quota.shortfall([state], {"pods": Decimal(1)}) is None) is (used < hard)
