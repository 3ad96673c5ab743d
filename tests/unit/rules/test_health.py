"""How components are, from what their processes say."""

import pytest

from coxswain.api.standing import Role, Standing
from coxswain.rules import health
from coxswain.rules.health import HealthState


def says(
    component: str = "sidecar",
    *,
    role: Role = Role.ACTIVE,
    ready: bool = True,
    broken: tuple[str, ...] = (),
) -> Standing:
    return Standing(
        component=component,
        replica="pod",
        id="1",
        version="1",
        role=role,
        ready=ready,
        broken=list(broken),
    )


@pytest.mark.parametrize(
    ("answered", "silent", "state"),
    [
        ([says()], 0, HealthState.OK),
        ([says(), says()], 0, HealthState.OK),
        ([], 0, HealthState.BROKEN),
        ([], 1, HealthState.BROKEN),
        ([says()], 1, HealthState.IMPAIRED),
        ([says(ready=False, broken=("schema",))], 0, HealthState.BROKEN),
        ([says(), says(ready=False)], 0, HealthState.IMPAIRED),
        ([says(broken=("kubernetes",))], 0, HealthState.IMPAIRED),
    ],
)
def test_a_component_works_if_one_of_its_processes_does(
    answered: list[Standing], silent: int, state: HealthState
) -> None:
    assert health.of_component("sidecar", answered, silent) is state


def test_operators_work_only_if_one_leads() -> None:
    leader, standby = (says("operator", role=role) for role in (Role.LEADER, Role.STANDBY))
    assert health.of_component("operator", [leader, standby], 0) is HealthState.OK
    assert health.of_component("operator", [standby, standby], 0) is HealthState.BROKEN


def test_all_together_are_as_the_worst_of_them() -> None:
    ok, impaired, broken = HealthState
    assert health.of_all([ok, ok]) is ok
    assert health.of_all([ok, impaired]) is impaired
    assert health.of_all([broken, impaired, ok]) is broken


def test_components_that_should_be_there_are_told_of_and_others_where_they_are() -> None:
    found = health.by_component([says("channels"), says("models")], {"7": "egress"})
    assert set(found) == {*health.NEEDED, "channels"}
    assert [len(found[name][0]) for name in ("operator", "models", "channels")] == [0, 1, 1]
    assert found["egress"] == ([], ["7"])
