"""What a pod may use."""

from typing import Any

import pytest

from coxswain.sandbox import limits
from tests.support import builders

Body = dict[str, Any]


def sizes(
    requests: Body | None = None, bounds: Body | None = None, **settings: Any
) -> limits.Sizes:
    agent = builders.agent().with_spec(
        resources={"requests": requests or {}, "limits": bounds or {}}
    )
    return limits.sizes(agent.parsed.spec, builders.sandbox_settings(**settings))


def test_without_a_word_the_installation_s_defaults_stand() -> None:
    found = sizes()
    assert found.requests == {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "128Mi"}
    assert found.limits["cpu"] == "1"
    assert found.limits["memory"] == "512Mi"


@pytest.mark.parametrize(
    ("requests", "bounds", "expected"),
    [
        ({"cpu": "3"}, {}, ("3", "3")),
        ({"cpu": "50m"}, {}, ("50m", "1")),
        ({}, {"cpu": "50m"}, ("50m", "50m")),
        ({}, {"cpu": "4"}, ("100m", "4")),
        ({"cpu": "2"}, {"cpu": "4"}, ("2", "4")),
    ],
)
def test_a_default_gives_way_to_what_is_said(
    requests: Body, bounds: Body, expected: tuple[str, str]
) -> None:
    found = sizes(requests, bounds)
    assert (found.requests["cpu"], found.limits["cpu"]) == expected


@pytest.mark.parametrize(
    ("requests", "bounds", "memory"),
    [
        ({"memory": "2Gi"}, {}, "2Gi"),
        ({"memory": "64Mi"}, {}, "512Mi"),
        ({}, {"memory": "64Mi"}, "64Mi"),
        ({"memory": "1Gi"}, {"memory": "2Gi"}, "2Gi"),
    ],
)
def test_memory_is_requested_in_full(requests: Body, bounds: Body, memory: str) -> None:
    found = sizes(requests, bounds)
    assert found.requests["memory"] == found.limits["memory"] == memory


def test_devices_are_requested_as_they_are_limited() -> None:
    found = sizes({}, {"nvidia.com/gpu": 2})
    assert found.requests["nvidia.com/gpu"] == found.limits["nvidia.com/gpu"] == "2"


def test_the_disk_holds_the_empty_folders_and_the_log() -> None:
    big = builders.agent().with_spec(workspace={"size": "4Gi"}).parsed.spec
    settings = builders.sandbox_settings(agent_tmp_size="1Gi")
    assert limits.sizes(big, settings).limits["ephemeral-storage"] == f"{5 * 1024 + 128}Mi"
    home = builders.agent().with_home("4Gi").parsed.spec
    assert limits.sizes(home, settings).limits["ephemeral-storage"] == "1Gi"


def test_a_disk_limit_of_the_agent_wins() -> None:
    assert sizes({}, {"ephemeral-storage": "10Mi"}).requests["ephemeral-storage"] == "10Mi"


def test_the_deadline_leaves_room_for_the_start() -> None:
    agent = builders.agent().with_spec(limits={"startTimeoutSeconds": 100}).parsed
    run = builders.run_document(agent, builders.job().with_spec(timeoutSeconds=60).parsed)
    assert limits.deadline_seconds(run) == 160


def test_a_door_beside_the_program_counts_as_kubernetes_counts_it() -> None:
    agent, settings = builders.agent().parsed.spec, builders.sandbox_settings(door_memory="64Mi")
    assert limits.of_pod(agent, settings, has_door=False) == [limits.sizes(agent, settings)]
    own, door = limits.of_pod(agent, settings, has_door=True)
    assert own == limits.sizes(agent, settings)
    assert (door.requests["memory"], door.limits["memory"]) == ("64Mi", "64Mi")
    assert door.requests["cpu"] == "20m"


def test_a_door_asks_for_no_more_than_it_may_use() -> None:
    settings = builders.sandbox_settings(door_cpu_limit="10m")
    assert limits.door(settings).requests["cpu"] == "10m"
