"""The kinds as a real API server has them."""

from copy import deepcopy
from typing import Any

import aiohttp
import pytest

from coxswain import names
from coxswain.api import manifest
from coxswain.api.manifest import Kind
from coxswain.api.schema import nodes
from coxswain.errors import CoxswainError, UserError
from coxswain.kube import paths
from coxswain.kube.client import MERGE_PATCH, Client
from tests.support import builders, examples, schedule_refusals
from tests.support.apiserver import STRICT, apply
from tests.support.refusals import BY_BOUND, BY_RULE
from tests.support.refused import Refused

Body = dict[str, Any]
LATER = "2099-01-01T00:00:00.000000Z"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
kinds = pytest.mark.parametrize("kind", manifest.KINDS, ids=lambda kind: kind.plural)


async def installed(client: Client, kind: Kind) -> Body:
    path = paths.of("customresourcedefinitions", None, f"{kind.plural}.{names.GROUP}")
    return await client.get(path)


def body(kind: str, name: str, spec: Body) -> Body:
    metadata = {"name": name}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


async def refusal(client: Client, namespace: str, sample: Body) -> str:
    with pytest.raises(CoxswainError) as caught:
        await apply(client, namespace, sample)
    return caught.value.message


@kinds
async def test_the_api_server_takes_the_schema_whole(client: Client, kind: Kind) -> None:
    found = await installed(client, kind)
    conditions = {each["type"]: each for each in found["status"]["conditions"]}
    assert "NonStructuralSchema" not in conditions
    wanted = manifest.definition(kind)["spec"]["versions"][0]
    assert found["spec"]["versions"][0]["schema"] == wanted["schema"]
    assert manifest.installed_version(found) == manifest.CRD_VERSION


@kinds
async def test_short_name_and_category_are_found(client: Client, kind: Kind) -> None:
    found = await client.get(paths.OURS)
    resource = next(each for each in found["resources"] if each["name"] == kind.plural)
    assert resource["shortNames"] == [kind.short_name]
    assert resource["categories"] == [names.CATEGORY]
    assert {each["name"] for each in found["resources"]} >= {f"{kind.plural}/status"}


@pytest.mark.parametrize("case", [*BY_RULE, *schedule_refusals.BY_RULE], ids=str)
async def test_each_rule_refuses_with_its_words(
    client: Client, namespace: str, case: Refused
) -> None:
    message = await refusal(client, namespace, body(case.kind, "x", case.spec))
    assert case.words in message
    assert f"{case.place}: " in message


@pytest.mark.parametrize(
    "case",
    [*BY_BOUND, *schedule_refusals.BY_BOUND],
    ids=lambda case: f"{case.place} {str(case.bad)[:40]}",
)
async def test_a_bad_value_is_refused_with_its_place(
    client: Client, namespace: str, case: Refused
) -> None:
    message = await refusal(client, namespace, body(case.kind, "x", case.spec))
    assert case.place in message


def test_every_rule_has_a_sample_that_it_refuses() -> None:
    tried = {case.words for case in BY_RULE} | {words for _, _, words in CHANGES}
    tried |= {OF_ITSELF, *(case.words for case in schedule_refusals.BY_RULE)}
    tried.add("startAt is before endAt")
    for kind in manifest.KINDS:
        for _, node in nodes(
            manifest.definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        ):
            for rule in node.get("x-kubernetes-validations", []):
                assert rule["message"] in tried | {TOO_LONG}


TOO_LONG = "metadata.name is at most 63 characters long, since pods carry it as a label"


OF_ITSELF = "dependsOn names other Jobs, not this one"


async def test_a_job_that_waits_for_itself_is_refused(client: Client, namespace: str) -> None:
    sample = builders.job("x").with_spec(dependsOn=[{"name": "y"}, {"name": "x"}])
    message = await refusal(client, namespace, sample.in_namespace(namespace).manifest)
    assert OF_ITSELF in message


async def test_a_schedule_that_ends_before_it_starts_is_refused(
    client: Client, namespace: str
) -> None:
    found = Refused("Schedule", "startAt", "2026-11-29T08:00:00Z", "").spec
    sample = body("Schedule", "x", {**found, "endAt": "2026-11-29T08:00:00+01:00"})
    assert "startAt is before endAt" in await refusal(client, namespace, sample)


@pytest.mark.parametrize("sample", [builders.agent("a" * 64), builders.job("j" * 64)])
async def test_a_name_that_is_no_label_is_refused(
    client: Client, namespace: str, sample: builders.Builder
) -> None:
    message = await refusal(client, namespace, sample.in_namespace(namespace).manifest)
    assert TOO_LONG in message


HOME = builders.agent().with_home("1Gi")
JOB = builders.job().with_file("c", "k").with_spec(description="d", timeoutSeconds=9)
STEPPED = builders.job("x").with_steps({"name": "a", "command": ["ls"]})
TYPED = builders.job().of_type("count", {"n": 1})
FIXED = "{} is fixed once the Job is made; make another Job"
OTHER = {
    "agentRef": {"name": "other"},
    "title": "Other",
    "callback": {"url": "https://receiver.example"},
    "description": "other",
    "prompt": "Other?",
    "files": [],
    "timeoutSeconds": 10,
    "queue": "other",
    "retry": {"maxAttempts": 2},
    "review": {"required": True},
    "retain": {"failedPodSeconds": 9},
    "dependsOn": [{"name": "other"}],
    "leases": ["other"],
    "approval": {"approvers": ["ada"]},
}
LEASE = builders.lease()
SAME_HOME = "a persistent workspace keeps its type, size and class; make another Agent"
CHANGES: tuple[tuple[builders.Builder, builders.Builder, str], ...] = (
    *((JOB, JOB.with_spec(**{name: value}), FIXED.format(name)) for name, value in OTHER.items()),
    (JOB, JOB.with_command("ls"), FIXED.format("command")),
    (STEPPED, STEPPED.with_steps({"name": "a", "command": ["cat"]}), FIXED.format("steps")),
    (TYPED, TYPED.of_type("other", {"n": 1}), FIXED.format("type")),
    (TYPED, TYPED.of_type("count", {"n": 2}), FIXED.format("input")),
    (TYPED, TYPED.with_spec(idempotencyKey="k"), FIXED.format("idempotencyKey")),
    (
        JOB.cancelled(),
        JOB.with_spec(cancel=False),
        "cancel goes one way: a cancelled Job cannot be taken back",
    ),
    (
        LEASE,
        LEASE.with_spec(resource="git:other"),
        "resource is fixed once the Lease is made; make another Lease",
    ),
    (HOME, HOME.with_home("2Gi"), SAME_HOME),
    (HOME, HOME.with_spec(workspace={"type": "Ephemeral", "size": "1Gi"}), SAME_HOME),
    (HOME, builders.agent(), SAME_HOME),
    (
        HOME,
        HOME.with_spec(workspace={**HOME.spec["workspace"], "storageClassName": "fast"}),
        SAME_HOME,
    ),
)


@pytest.mark.parametrize(("before", "after", "words"), CHANGES)
async def test_what_is_fixed_cannot_be_changed(
    client: Client,
    namespace: str,
    before: builders.Builder,
    after: builders.Builder,
    words: str,
) -> None:
    await apply(client, namespace, before.in_namespace(namespace).manifest)
    message = await refusal(client, namespace, after.in_namespace(namespace).manifest)
    assert words in message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (JOB, JOB.cancelled()),
        (JOB, JOB.with_spec(ttlSecondsAfterFinished=60)),
        (JOB, JOB.with_spec(priority=7)),
        (LEASE, LEASE.with_spec(ttlSeconds=90, holder="freeze", quarantineSeconds=60)),
        (HOME, HOME.with_home("1024Mi", retention="Retain")),
        (builders.agent(), HOME),
        (builders.agent(), builders.agent().suspended().with_model()),
    ],
)
async def test_what_is_not_fixed_can_be_changed(
    client: Client, namespace: str, before: builders.Builder, after: builders.Builder
) -> None:
    await apply(client, namespace, before.in_namespace(namespace).manifest)
    changed = await apply(client, namespace, after.in_namespace(namespace).manifest)
    assert changed["metadata"]["generation"] == 2


@pytest.mark.parametrize("sample", examples.of_ours(), ids=lambda each: each["metadata"]["name"])
async def test_a_sample_applied_three_times_changes_nothing(
    client: Client, namespace: str, sample: Body
) -> None:
    first = await apply(client, namespace, deepcopy(sample))
    again = [await apply(client, namespace, deepcopy(sample)) for _ in range(2)]
    assert again == [first, first]
    assert first["metadata"]["generation"] == 1


async def test_defaults_are_shown_and_belong_to_nobody(client: Client, namespace: str) -> None:
    made = await apply(client, namespace, builders.agent().in_namespace(namespace).manifest)
    assert made["spec"]["limits"]["maxSteps"] == 50
    assert made["spec"]["sandbox"] == {"seccomp": {"type": "RuntimeDefault"}}
    assert "scheduling" not in made["spec"]
    owned = made["metadata"].get("managedFields", [{}])[0].get("fieldsV1", {})
    assert owned.get("f:spec", {}) == {}


async def test_status_is_written_apart_and_survives_an_apply(
    client: Client, namespace: str
) -> None:
    sample = builders.job().in_namespace(namespace).running()
    made = await apply(client, namespace, sample.manifest)
    path = paths.of("jobs", namespace, sample.name, "status")
    written = await client.patch(path, {"status": sample.status}, MERGE_PATCH, STRICT)
    assert written["status"] == sample.status
    assert written["metadata"]["generation"] == made["metadata"]["generation"]
    again = await apply(client, namespace, {**sample.manifest, "status": {"phase": "Failed"}})
    assert again["status"]["phase"] == "Running"


async def test_a_status_that_does_not_fit_is_refused(client: Client, namespace: str) -> None:
    await apply(client, namespace, builders.job().in_namespace(namespace).manifest)
    path = paths.of("jobs", namespace, "read", "status")
    with pytest.raises(UserError, match=r"status\.phase"):
        await client.patch(path, {"status": {"phase": "Dreaming"}}, MERGE_PATCH, STRICT)


async def table(client: Client, plural: str, namespace: str) -> tuple[list[Body], list[Any]]:
    """Columns and the cells of the first row, as kubectl gets them."""
    credentials = client.credentials
    url = credentials.url + paths.collection(plural, namespace)
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, ssl=credentials.tls or True, headers={"Accept": TABLE}) as response,
    ):
        found = await response.json()
    return found["columnDefinitions"], found["rows"][0]["cells"]


async def test_kubectl_shows_what_one_wants_to_know(client: Client, namespace: str) -> None:
    agent = builders.agent().in_namespace(namespace).with_model("m-1", "openai").ready()
    job = builders.job().in_namespace(namespace).running(2)
    job = job.with_condition("Ready", "False", "Running", "attempt 2 runs")
    lease = LEASE.in_namespace(namespace).with_status(
        state="Held", holder="job:read/2", token=7, acquiredAt=builders.CREATED, expiresAt=LATER
    )
    for plural, sample in (("agents", agent), ("jobs", job), ("leases", lease)):
        await apply(client, namespace, sample.manifest)
        path = paths.of(plural, namespace, sample.name, "status")
        await client.patch(path, {"status": sample.status})

    columns, cells = await table(client, "agents", namespace)
    shown = [column["name"] for column in columns if column["priority"] == 0]
    assert shown == ["Name", "Ready", "Phase", "Model", "Suspended", "Age"]
    assert cells[:5] == ["helm", "True", "Ready", "m-1", False]

    columns, cells = await table(client, "jobs", namespace)
    shown = [column["name"] for column in columns if column["priority"] == 0]
    assert shown == ["Name", "Phase", "Agent", "Attempt", "Reason", "Age"]
    assert cells[:5] == ["read", "Running", "helm", 2, "Running"]
    assert "attempt 2 runs" in cells

    columns, cells = await table(client, "leases", namespace)
    shown = [column["name"] for column in columns if column["priority"] == 0]
    assert shown == ["Name", "State", "Holder", "Token", "Held", "Expires", "Age"]
    assert cells[:4] == ["deploy", "Held", "job:read/2", 7]
    assert cells[5] == LATER


async def test_jobs_are_found_by_agent_queue_and_phase(client: Client, namespace: str) -> None:
    for name, agent, queue in (("one", "a", "default"), ("two", "b", "nightly")):
        made = builders.job(name, agent).with_spec(queue=queue).in_namespace(namespace)
        await apply(client, namespace, made.manifest)
    path = paths.of("jobs", namespace, "two", "status")
    await client.patch(path, {"status": {"phase": "Queued"}})
    for selector in ("spec.agentRef.name=b", "spec.queue=nightly", "status.phase=Queued"):
        found = await client.get(paths.collection("jobs", namespace), {"fieldSelector": selector})
        assert [each["metadata"]["name"] for each in found["items"]] == ["two"]
