"""The pod of an attempt in an image that knows nothing of us."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain import names
from coxswain.sandbox import pod
from tests.support import builders
from tests.support.builders import AgentBuilder, JobBuilder

Body = dict[str, Any]
IMAGE = "ghcr.io/team/tool:1"
SPAN = f"00-{'a' * 32}-{'b' * 16}-01"
COMMAND = builders.job().with_command("tool", "--now")


def built(job: JobBuilder = COMMAND, agent: AgentBuilder | None = None, **run: Any) -> Body:
    own = (agent or builders.agent().with_image(IMAGE)).parsed
    request = builders.pod_request(own, job.parsed)
    changed = replace(request, run=request.run.model_copy(update=run))
    return pod.build(changed, builders.platform())


def program(manifest: Body) -> Body:
    (only,) = manifest["spec"]["containers"]
    return dict(only)


def door(manifest: Body) -> Body:
    (only,) = manifest["spec"]["initContainers"]
    return dict(only)


def environment(container: Body) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def mounts(container: Body) -> dict[str, bool]:
    """Paths, and whether they can be written."""
    return {each["mountPath"]: not each["readOnly"] for each in container["volumeMounts"]}


def test_our_door_is_a_native_sidecar_of_our_own_image() -> None:
    found = door(built())
    assert (found["name"], found["restartPolicy"]) == (names.DOOR_CONTAINER, "Always")
    assert (found["image"], found["args"]) == ("registry.example/agent:1", ["door"])
    assert found["imagePullPolicy"] == "IfNotPresent"


def test_the_door_alone_mounts_the_token() -> None:
    manifest = built(COMMAND.with_file("m", "a"), type="count")
    assert mounts(door(manifest))[names.TOKEN_DIRECTORY] is False
    assert names.TOKEN_DIRECTORY not in mounts(program(manifest))
    told = environment(program(manifest))
    assert "COXSWAIN_TOKEN_FILE" not in told
    assert not [value for value in told.values() if "coxswain-system" in value]


def test_the_program_waits_for_the_claim_and_lives_as_long_as_the_door_lets_it() -> None:
    manifest = built()
    startup, liveness = door(manifest)["startupProbe"], program(manifest)["livenessProbe"]
    assert startup["httpGet"] == {"path": "/started", "port": names.SIGNS_PORT}
    assert liveness["httpGet"] == {"path": "/alive", "port": names.SIGNS_PORT}
    # More than the door's own two minutes for the claim, so that it says itself why it ends.
    assert startup["failureThreshold"] * startup["periodSeconds"] > 180
    # A door that is started again, after 10 and 20 s even, is back in time.
    assert liveness["failureThreshold"] * liveness["periodSeconds"] == 60
    assert liveness["terminationGracePeriodSeconds"] == 5
    assert "startupProbe" not in program(manifest)


def test_the_program_finds_the_doors_on_localhost() -> None:
    told = environment(program(built()))
    assert told["COXSWAIN_URL"] == told["COXSWAIN_MODELS_URL"] == "http://127.0.0.1:8700"
    assert told["OPENAI_BASE_URL"] == "http://127.0.0.1:8700/v1"
    assert told["HTTPS_PROXY"] == told["https_proxy"] == "http://127.0.0.1:8701"
    assert told["COXSWAIN_RUN"] == f"{builders.uid_of('Job', 'read')}/1"
    assert told["HOME"] == told["COXSWAIN_WORKSPACE"] == "/workspace"
    assert not {"COXSWAIN_INPUT", "COXSWAIN_OUTPUT"} & set(told)


def test_door_and_program_are_told_below_which_span_they_stand_where_somebody_traces() -> None:
    request = builders.pod_request(builders.agent().with_image(IMAGE).parsed, COMMAND.parsed)
    request = replace(request, run=request.run.model_copy(update={"image": IMAGE}))
    for header, told in (("", None), (SPAN, SPAN)):
        manifest = pod.build(replace(request, traceparent=header), builders.platform())
        assert environment(door(manifest)).get("COXSWAIN_TRACEPARENT") == told
        assert environment(program(manifest)).get("TRACEPARENT") == told


@pytest.mark.parametrize(
    ("agent", "job", "command"),
    [
        (builders.agent().with_image(IMAGE), COMMAND, ["tool", "--now"]),
        (builders.agent().with_image(IMAGE, "agent"), COMMAND, ["tool", "--now"]),
        (builders.agent().with_image(IMAGE, "agent", "-v"), builders.job(), ["agent", "-v"]),
        (
            builders.agent().with_image(IMAGE, "agent"),
            builders.job().with_steps({"name": "a", "prompt": "p"}),
            ["agent"],
        ),
        (builders.agent().with_image(IMAGE), builders.job(), None),
        # A type that is an image by itself: the Agent's program has nothing to do with it.
        (builders.agent().with_image(IMAGE, "agent"), builders.job().of_type("count"), None),
    ],
)
def test_a_command_goes_before_the_agents_program_and_that_before_the_entry_point(
    agent: AgentBuilder, job: JobBuilder, command: list[str] | None
) -> None:
    found = program(built(job, agent))
    assert found["image"] == IMAGE
    assert found.get("command") == command
    # An entry point may go by the folder of its image.
    assert found.get("workingDir") == (None if command is None else "/workspace")
    assert "args" not in found


def test_kubernetes_own_rule_says_when_the_image_is_pulled() -> None:
    assert "imagePullPolicy" not in program(built())


def test_both_containers_are_closed_in_and_bounded() -> None:
    manifest = built()
    assert manifest["spec"]["securityContext"]["runAsUser"] == names.AGENT_UID
    for container in (door(manifest), program(manifest)):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is context["runAsNonRoot"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        for side in ("requests", "limits"):
            assert set(container["resources"][side]) == {"cpu", "memory", "ephemeral-storage"}


def test_the_door_lays_out_files_and_input_and_sees_nothing_else_of_the_work() -> None:
    assert mounts(door(built())) == {names.TOKEN_DIRECTORY: False, "/tmp": True}  # noqa: S108 - of the pod
    with_files = mounts(door(built(COMMAND.with_file("m", "a"))))
    assert with_files["/workspace"] is True
    assert with_files[names.FILES_PATH] is False
    typed = built(type="count")
    assert mounts(door(typed))[names.HANDED_PATH] is True
    assert mounts(program(typed))[names.HANDED_PATH] is True
    told = environment(program(typed))
    assert told["COXSWAIN_INPUT"] == f"{names.HANDED_PATH}/input.json"
    assert told["COXSWAIN_OUTPUT"] == f"{names.HANDED_PATH}/output.json"


def test_program_and_door_share_no_folder_but_what_is_handed_over() -> None:
    manifest = built(type="count")
    names_of = [
        {each["name"] for each in container["volumeMounts"]}
        for container in (door(manifest), program(manifest))
    ]
    assert set.intersection(*names_of) == {"handed"}


def test_every_volume_is_there_once() -> None:
    manifest = built(COMMAND.with_file("m", "a"), type="count")
    volumes = [each["name"] for each in manifest["spec"]["volumes"]]
    assert sorted(volumes) == ["door", "files", "handed", "identity", "tmp", "workspace"]


def test_without_an_image_nothing_stands_beside_the_agent() -> None:
    spec = built(COMMAND, builders.agent())["spec"]
    assert "initContainers" not in spec
    assert "livenessProbe" not in spec["containers"][0]
