"""The pod of an attempt."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coxswain import names
from coxswain.api import quantity
from coxswain.api.kind import Agent, Job
from coxswain.sandbox import pod
from tests.support import builders, strategies

Body = dict[str, Any]
SPAN = f"00-{'a' * 32}-{'b' * 16}-01"
VOLUMES = {"emptyDir", "projected", "configMap", "persistentVolumeClaim"}


def built(agent: builders.AgentBuilder, job: builders.JobBuilder, **changes: Any) -> Body:
    request = builders.pod_request(agent.parsed, job.parsed)
    return pod.build(request, builders.platform(**changes))


def container(manifest: Body) -> Body:
    (only,) = manifest["spec"]["containers"]
    return dict(only)


def containers(manifest: Body) -> list[Body]:
    spec = manifest["spec"]
    return [dict(each) for each in (*spec["containers"], *spec.get("initContainers", ()))]


def environment(manifest: Body) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(manifest)["env"]}


def volume(manifest: Body, name: str) -> Body:
    return next(dict(each) for each in manifest["spec"]["volumes"] if each["name"] == name)


@settings(max_examples=settings().max_examples // 3, suppress_health_check=[*HealthCheck])
@given(strategies.agents(), strategies.jobs(), st.integers(1, 99))
def test_nothing_that_can_be_said_opens_the_sandbox(agent: Agent, job: Job, attempt: int) -> None:
    manifest = pod.build(builders.pod_request(agent, job, attempt), builders.platform())
    spec = manifest["spec"]
    context = spec["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (
        names.AGENT_UID,
        names.AGENT_UID,
        True,
    )
    assert context["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
    for each in containers(manifest):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        }
        assert {"tty", "stdin", "ports", "lifecycle"}.isdisjoint(each)
    assert not {name for name in spec if name.startswith("host")} - {"hostAliases"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert (spec["dnsPolicy"], spec["dnsConfig"]) == ("None", {"nameservers": ["127.0.0.1"]})
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] > 0
    assert {"ephemeralContainers", "nodeName", "shareProcessNamespace"}.isdisjoint(spec)
    has_own = agent.spec.runtime is not None
    assert ("initContainers" in spec) is has_own
    assert has_own or "command" not in container(manifest)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", manifest["metadata"]["name"])
    assert len(manifest["metadata"]["name"]) <= 63


@settings(max_examples=settings().max_examples // 3, suppress_health_check=[*HealthCheck])
@given(strategies.agents(), strategies.jobs())
def test_everything_it_uses_is_bounded(agent: Agent, job: Job) -> None:
    manifest = pod.build(builders.pod_request(agent, job), builders.platform())
    for one in containers(manifest):
        resources = one["resources"]
        assert resources["requests"]["memory"] == resources["limits"]["memory"]
        for name in ("cpu", "memory", "ephemeral-storage"):
            most = quantity.number(resources["limits"][name])
            assert most > 0
            assert quantity.number(resources["requests"][name]) <= most
    for each in manifest["spec"]["volumes"]:
        (source,) = set(each) - {"name"}
        assert source in VOLUMES
        if source == "emptyDir":
            assert quantity.number(each["emptyDir"]["sizeLimit"]) > 0
    writable = {m["mountPath"] for m in container(manifest)["volumeMounts"] if not m["readOnly"]}
    handed = {names.HANDED_PATH} if agent.spec.runtime and job.spec.type else set()
    assert writable == {"/workspace", "/tmp"} | handed  # noqa: S108 - of the pod


def test_the_same_attempt_gives_the_same_manifest() -> None:
    agent, job = builders.agent().with_model(), builders.job()
    assert built(agent, job) == built(agent, job)


def test_name_labels_and_owner_say_whose_it_is() -> None:
    metadata = built(builders.agent(), builders.job())["metadata"]
    uid = builders.uid_of("Job", "read")
    assert metadata["name"] == names.attempt_pod("read", uid, 1)
    assert metadata["namespace"] == "team"
    assert metadata["labels"][names.LABEL_JOB] == "read"
    assert metadata["labels"][names.LABEL_AGENT] == "helm"
    assert metadata["labels"][names.LABEL_ATTEMPT] == "1"
    assert metadata["labels"][names.LABEL_INSTALLATION] == "test"
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Job", uid, True)


def test_its_one_token_is_for_our_doors_and_lasts_an_hour() -> None:
    manifest = built(builders.agent(), builders.job())
    assert volume(manifest, "identity")["projected"]["sources"] == [
        {
            "serviceAccountToken": {
                "audience": "coxswain/test",
                "expirationSeconds": 3600,
                "path": "token",
            }
        }
    ]
    assert manifest["spec"]["serviceAccountName"] == names.AGENT_SERVICE_ACCOUNT


def test_it_finds_its_doors_without_dns() -> None:
    manifest = built(builders.agent(), builders.job())
    aliases = {each["ip"]: each["hostnames"] for each in manifest["spec"]["hostAliases"]}
    assert aliases == {
        "10.96.0.11": ["coxswain-api.coxswain-system.svc"],
        "fd00::11": ["coxswain-api.coxswain-system.svc"],
        "10.96.0.12": ["coxswain-models.coxswain-system.svc"],
        "fd00::12": ["coxswain-models.coxswain-system.svc"],
        "10.96.0.13": ["coxswain-egress.coxswain-system.svc"],
        "fd00::13": ["coxswain-egress.coxswain-system.svc"],
    }
    found = environment(manifest)
    assert found["COXSWAIN_URL"] == "http://coxswain-api.coxswain-system.svc:8080"
    assert found["COXSWAIN_MODELS_URL"] == "http://coxswain-models.coxswain-system.svc:8081"
    assert found["COXSWAIN_EGRESS_URL"] == "http://coxswain-egress.coxswain-system.svc:8082"
    assert found["COXSWAIN_RUN"] == f"{builders.uid_of('Job', 'read')}/1"
    assert found["HOME"] == "/workspace"


def test_it_is_told_below_which_span_it_stands_where_somebody_traces() -> None:
    request = builders.pod_request(builders.agent().parsed, builders.job().parsed)
    for header, told in (("", None), (SPAN, SPAN)):
        manifest = pod.build(replace(request, traceparent=header), builders.platform())
        assert environment(manifest).get("COXSWAIN_TRACEPARENT") == told


def test_no_prompt_or_key_stands_in_the_manifest() -> None:
    agent = builders.agent().with_model("m", "openai", credentials={"name": "secret-name"})
    manifest = built(agent, builders.job().with_spec(prompt="confidential", title="private"))
    assert not [
        word for word in ("secret-name", "confidential", "private") if word in str(manifest)
    ]


def test_files_come_from_their_config_maps_read_only() -> None:
    job = builders.job().with_file("one", "a").with_file("two", "b", "x/b").with_file("one", "c")
    manifest = built(builders.agent(), job)
    assert volume(manifest, "files")["projected"]["sources"] == [
        {
            "configMap": {
                "name": "one",
                "items": [{"key": "a", "path": "a"}, {"key": "c", "path": "c"}],
            }
        },
        {"configMap": {"name": "two", "items": [{"key": "b", "path": "x/b"}]}},
    ]
    assert {"name": "files", "mountPath": "/coxswain/files", "readOnly": True} in container(
        manifest
    )["volumeMounts"]


def test_instructions_of_a_config_map_become_one_file() -> None:
    agent = builders.agent().with_spec(instructions={"configMap": {"name": "i", "key": "k.md"}})
    source = volume(built(agent, builders.job()), "instructions")["configMap"]
    assert source == {"name": "i", "items": [{"key": "k.md", "path": "instructions"}]}


def test_a_persistent_workspace_is_the_claim_of_its_agent() -> None:
    claim = names.workspace_claim("helm", builders.uid_of("Agent", "helm"))
    manifest = built(builders.agent().with_home(), builders.job())
    assert volume(manifest, "workspace") == {
        "name": "workspace",
        "persistentVolumeClaim": {"claimName": claim},
    }


def test_placement_and_profiles_are_passed_on() -> None:
    scheduling = {
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "registry"}],
    }
    sandbox = {
        "runtimeClassName": "gvisor",
        "seccomp": {"type": "Localhost", "localhostProfile": "p.json"},
        "appArmor": {"type": "Localhost", "localhostProfile": "ours"},
        "seLinux": {"level": "s0:c1"},
    }
    spec = built(
        builders.agent().with_spec(scheduling=scheduling, sandbox=sandbox), builders.job()
    )["spec"]
    assert {name: spec[name] for name in scheduling} == scheduling
    assert spec["runtimeClassName"] == "gvisor"
    assert spec["securityContext"]["seccompProfile"] == sandbox["seccomp"]
    assert spec["securityContext"]["appArmorProfile"] == sandbox["appArmor"]
    assert spec["securityContext"]["seLinuxOptions"] == sandbox["seLinux"]


def test_image_and_sizes_are_the_installation_s() -> None:
    only = container(
        built(
            builders.agent(),
            builders.job(),
            agent_image="registry.example/other:2",
            agent_image_pull_policy="Never",
            agent_memory="1Gi",
        )
    )
    assert (only["image"], only["imagePullPolicy"]) == ("registry.example/other:2", "Never")
    assert only["resources"]["limits"]["memory"] == "1Gi"
