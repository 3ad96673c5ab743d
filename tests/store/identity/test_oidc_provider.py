"""People who sign in at npm's oidc-provider, which really runs, and come with what it gives them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from coxswain.store.pool import Store
from tests.support import oidc_provider, sidecar_api
from tests.support.oidc_provider import AUDIENCE, CLIENT, Provider
from tests.support.postgres import Database

JOBS = "/v1/workspaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
NEW = {"metadata": {"name": "first"}, "spec": SPEC}
GROUPS = {"ops": {"role": "Admin"}, "team": {"role": "Member", "workspaces": ["team"]}}


@pytest_asyncio.fixture
async def provider(pki: Path) -> AsyncIterator[Provider]:
    async with oidc_provider.running(pki) as started:
        yield started


@pytest.mark.parametrize("audience", [AUDIENCE, CLIENT])
async def test_who_has_signed_in_is_let_in_with_the_rights_of_their_groups(
    provider: Provider,
    database: Database,
    operator_store: Store,
    tmp_path: Path,
    audience: str,
) -> None:
    settings: dict[str, Any] = {
        "people": "oidc",
        "oidc_issuer": provider.issuer,
        "oidc_audience": audience,
        "oidc_ca_file": provider.ca_file,
        "people_groups": GROUPS,
    }
    async with sidecar_api.running(database, operator_store, tmp_path, **settings) as api:

        async def signed_in(name: str) -> dict[str, str]:
            found = await provider.sign_in(name)
            token = found.access_token if audience == AUDIENCE else found.id_token
            return {"Authorization": f"Bearer {token}"}

        bob, ada = await signed_in("bob"), await signed_in("ada")
        async with api.anybody.post(JOBS, json=NEW, headers=bob) as answer:
            assert answer.status == 201
        for headers, path, status in (
            (bob, "/v1/workspaces/other/jobs", 403),
            (bob, "/v1/keys", 403),
            (ada, "/v1/workspaces/other/jobs", 200),
            (ada, "/v1/keys", 200),
        ):
            async with api.anybody.get(path, headers=headers) as answer:
                assert answer.status == status, path
        made = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
        assert made["metadata"]["annotations"] == {"coxswain.dev/requester": "bob"}


async def test_a_token_for_another_audience_is_refused(
    provider: Provider, database: Database, operator_store: Store, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "people": "oidc",
        "oidc_issuer": provider.issuer,
        "oidc_audience": "another",
        "oidc_ca_file": provider.ca_file,
        "people_groups": GROUPS,
    }
    found = await provider.sign_in("ada")
    async with sidecar_api.running(database, operator_store, tmp_path, **settings) as api:
        for token in (found.access_token, found.id_token):
            headers = {"Authorization": f"Bearer {token}"}
            async with api.anybody.get("/v1/jobs", headers=headers) as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, "token_audience")
