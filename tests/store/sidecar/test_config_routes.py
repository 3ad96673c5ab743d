"""What the installation runs with, over HTTP; and the flags, which change it while it runs."""

from pathlib import Path
from typing import Any

import pytest

from coxswain.api.audit import Actor, Outcome
from coxswain.store import audit, running
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from tests.support import sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

CONFIG, FLAGS = "/v1/config", "/v1/flags"
OPERATOR = {
    "COXSWAIN_MODE": "dev",
    "COXSWAIN_SCHEDULES_ENABLED": True,
    "COXSWAIN_DELIVERIES_KEPT_DAYS": 30,
    "COXSWAIN_RECORDS_KEPT_DAYS": 365,
    "COXSWAIN_AUDIT_KEPT_DAYS": None,
    "COXSWAIN_EVENTS_KEPT_DAYS": None,
}
MODELS = {"COXSWAIN_MODE": "dev", "COXSWAIN_DEMO_PROVIDER": False}


async def tells(store: Store, process: str, told: dict[str, Any], instance: str = "one") -> None:
    await store.run(running.tell, process, instance, told, is_new=True)


async def config(api: Api) -> dict[str, Any]:
    async with api.user.get(CONFIG) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def flags(api: Api) -> tuple[str, dict[str, dict[str, Any]]]:
    async with api.user.get(FLAGS) as answer:
        assert answer.status == 200
        items = (await answer.json())["items"]
        return answer.headers["ETag"], {each["name"]: each for each in items}


async def change(api: Api, body: Any, tag: str | None = None) -> tuple[int, dict[str, Any]]:
    headers = {} if tag is None else {"If-Match": tag}
    given = {"reason": "a try", **body}
    async with api.user.patch(FLAGS, json=given, headers=headers) as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        return answer.status, found


async def test_it_says_what_is_kept_for_how_long_and_that_nothing_is_filtered(
    api: Api, operator_store: Store
) -> None:
    assert "retention" not in await config(api)
    await tells(operator_store, "operator", OPERATOR)
    found = await config(api)
    assert found["mode"] == "dev"
    assert found["retention"] == {
        "events": "indefinite",
        "deliveries": 30,
        "records": 365,
        "audit": "indefinite",
    }
    assert found["filtering"] == {"content": "off", "redaction": "off"}


async def test_it_says_where_the_event_log_ends(api: Api, operator_store: Store) -> None:
    await tells(operator_store, "operator", {**OPERATOR, "COXSWAIN_EVENTS_KEPT_DAYS": 90})
    assert (await config(api))["retention"]["events"] == 90


async def test_it_shows_every_process_with_what_it_really_runs_with(
    api: Api, operator_store: Store, gateway_store: Store
) -> None:
    await tells(operator_store, "operator", OPERATOR)
    await tells(gateway_store, "models", MODELS)
    found = {each["process"]: each for each in (await config(api))["processes"]}
    assert found["operator"]["settings"] == OPERATOR
    assert found["models"]["settings"] == MODELS
    assert found["sidecar"]["settings"]["COXSWAIN_INSTALLATION"] == "test"
    assert found["sidecar"]["settings"]["COXSWAIN_DATABASE_DSN"] == "(set)"


async def test_a_flag_that_nobody_set_is_as_the_setting_of_its_process_says(
    api: Api, operator_store: Store, gateway_store: Store
) -> None:
    _, found = await flags(api)
    assert "on" not in found["schedulesEnabled"]
    await tells(operator_store, "operator", OPERATOR)
    await tells(gateway_store, "models", MODELS)
    _, found = await flags(api)
    assert (found["schedulesEnabled"]["on"], found["schedulesEnabled"]["saidBy"]) == (
        True,
        "setting",
    )
    assert (found["demoProvider"]["on"], found["demoProvider"]["process"]) == (False, "models")


async def test_while_two_versions_run_the_newer_one_counts(api: Api, operator_store: Store) -> None:
    await tells(operator_store, "operator", OPERATOR, "old")
    await tells(operator_store, "operator", {**OPERATOR, "COXSWAIN_SCHEDULES_ENABLED": False}, "a")
    _, found = await flags(api)
    assert found["schedulesEnabled"]["on"] is False


async def test_a_flag_is_set_and_left_to_the_setting_again(api: Api, operator_store: Store) -> None:
    await tells(operator_store, "operator", OPERATOR)
    before, _ = await flags(api)
    status, answer = await change(api, {"schedulesEnabled": False})
    assert status == 200
    tag, found = await flags(api)
    assert tag != before
    assert answer["items"] == list(found.values())
    flag = found["schedulesEnabled"]
    assert (flag["on"], flag["saidBy"], flag["changedBy"]) == (False, "flag", "user:local")
    assert (await config(api))["flags"] == list(found.values())
    assert (await change(api, {"schedulesEnabled": None}))[0] == 200
    _, found = await flags(api)
    assert (found["schedulesEnabled"]["on"], found["schedulesEnabled"]["saidBy"]) == (
        True,
        "setting",
    )


async def test_what_a_process_says_anew_is_another_answer_and_the_same_version(
    api: Api, operator_store: Store
) -> None:
    seen, _ = await flags(api)
    await tells(operator_store, "operator", OPERATOR)
    async with api.user.get(FLAGS, headers={"If-None-Match": seen}) as answer:
        assert (answer.status, answer.headers["ETag"] != seen) == (200, True)
    assert (await change(api, {"demoProvider": False}, seen))[0] == 200


async def test_a_change_of_flags_that_changed_meanwhile_is_refused(api: Api) -> None:
    tag, _ = await flags(api)
    assert (await change(api, {"demoProvider": False}, tag))[0] == 200
    status, problem = await change(api, {"demoProvider": True}, tag)
    assert (status, problem["code"]) == (412, "precondition_failed")
    assert (await change(api, {"demoProvider": True}, "*"))[0] == 200
    assert (await change(api, {"demoProvider": True}, '"soon"'))[0] == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"turbo": True}, "turbo"),
        ({"schedulesEnabled": False, "turbo": True}, "turbo"),
        ({"schedulesEnabled": "no"}, "schedulesEnabled"),
        ({"demoProvider": 0}, "demoProvider"),
        ({}, "body"),
    ],
)
async def test_an_unknown_flag_or_value_is_refused_and_nothing_is_changed(
    api: Api, body: dict[str, Any], field: str
) -> None:
    before = await flags(api)
    status, problem = await change(api, body)
    assert (status, problem["field"]) == (422, field)
    assert await flags(api) == before


async def test_what_is_for_a_first_try_is_not_switched_on_in_prod(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    # The local token, which opens the API in tests, is refused in prod: a machine's key opens it.
    async with sidecar_api.running(database, operator_store, tmp_path) as dev:
        key = await dev.key()
    given = {"mode": "prod", "people": "kubernetes", "local_token_kept": False}
    async with sidecar_api.running(
        database, operator_store, tmp_path, local_token_file=None, **given
    ) as api:
        for body, status in (({"demoProvider": True}, 422), ({"demoProvider": False}, 200)):
            async with api.anybody.patch(
                FLAGS, json={**body, "reason": "a try"}, headers=key
            ) as answer:
                assert answer.status == status
                problem = await answer.json(content_type=None)
                if status != 200:
                    assert (problem["code"], problem["field"]) == (
                        "not_in_prod",
                        "demoProvider",
                    )


async def test_a_change_is_in_the_audit_log_with_what_was_set(api: Api) -> None:
    await change(api, {"schedulesEnabled": False})
    (found,) = (await api.operator.run(audit.page, Query(action="change_flags"))).rows
    row = found.entry
    assert (row.outcome, row.actor) == (Outcome.DONE, Actor("user", "local"))
    assert (row.object.kind, row.reason) == ("Flag", "a try")
    assert row.details["schedulesEnabled"] is False
