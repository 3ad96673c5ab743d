"""The API server and the types judge alike, since a restore brings what the first never saw."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from coxswain import names
from coxswain.api import manifest
from coxswain.api.kind import Agent, Job, Lease, Schedule
from coxswain.api.manifest import Kind
from coxswain.errors import UserError
from coxswain.kube import paths
from coxswain.kube.client import Client
from tests.support import builders, strategies

Body = dict[str, Any]
# More: COXSWAIN_EXAMPLES=500 hack/test apiserver -- -k verdict
TIMES = {"Agent": 5, "Job": 5, "Schedule": 2, "Lease": 2}
AT_ONCE = 32
PARSED: dict[str, type[Agent | Job | Schedule | Lease]] = {
    "Agent": Agent,
    "Job": Job,
    "Lease": Lease,
    "Schedule": Schedule,
}
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}


def odd_specs(kind: Kind) -> list[Body]:
    """Good specs, most of them with one odd value."""
    found: list[Body] = []

    @settings(
        max_examples=TIMES[kind.name] * settings().max_examples,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(strategies.spoiled(kind.spec))
    def collect(spec: Body) -> None:
        found.append(spec)

    collect()
    return found


def fits_the_types(kind: Kind, spec: Body) -> bool:
    try:
        PARSED[kind.name].parse({**builders.agent().raw, "spec": spec})
    except UserError:
        return False
    return True


async def fits_the_schema(client: Client, namespace: str, kind: Kind, spec: Body) -> bool:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": kind.name,
        "metadata": {"name": "x"},
        "spec": spec,
    }
    try:
        await client.create(paths.collection(kind.plural, namespace), body, DRY_RUN)
    except UserError:
        return False
    return True


@pytest.mark.parametrize("kind", manifest.KINDS, ids=lambda kind: kind.plural)
async def test_both_judge_hundreds_of_odd_specs_alike(
    client: Client, namespace: str, kind: Kind
) -> None:
    specs = await asyncio.to_thread(odd_specs, kind)
    free = asyncio.Semaphore(AT_ONCE)

    async def judged(spec: Body) -> tuple[bool, bool]:
        async with free:
            return fits_the_types(kind, spec), await fits_the_schema(client, namespace, kind, spec)

    verdicts = await asyncio.gather(*(judged(spec) for spec in specs))
    split = [(both, spec) for both, spec in zip(verdicts, specs, strict=True) if len({*both}) > 1]
    assert not split, f"{len(split)} of {len(specs)}, as (types, schema): {split[:3]}"
    assert {types for types, _ in verdicts} == {True, False}
