"""Schedules over HTTP."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from coxswain import names
from coxswain.api.ticks import ScheduleState, Standing, Tick, TickChange
from coxswain.store import ticks
from tests.support.sidecar_api import Api

SCHEDULES = "/v1/workspaces/team/schedules"
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/schedules/morning"
JOB = {"agentRef": {"name": "reader"}, "title": "Report", "prompt": "What is new?"}
SPEC = {"interval": {"seconds": 60}, "jobTemplate": {"spec": JOB}}
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


async def made(api: Api, **spec: Any) -> dict[str, Any]:
    body = {"metadata": {"name": "morning"}, "spec": {**SPEC, **spec}}
    async with api.user.post(SCHEDULES, json=body) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == 201, found
        return found


async def asks(api: Api, what: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with api.user.post(f"{SCHEDULES}/morning/{what}", json=body) as answer:
        return answer.status, await answer.json()


async def gets(api: Api, path: str) -> dict[str, Any]:
    async with api.user.get(path) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def standing(api: Api, uid: str) -> Standing:
    (found,) = await api.operator.run(ticks.standing, [uid])
    return found


async def test_a_schedule_is_made_as_kubectl_would_make_it(api: Api) -> None:
    found = await made(api, timeZone="Europe/Berlin")
    assert (found["kind"], found["status"]) == ("Schedule", "Pending")
    raw = api.cluster.objects[PATH]
    assert raw["spec"] == {**SPEC, "timeZone": "Europe/Berlin"}
    assert raw["metadata"]["annotations"] == {names.ANNOTATION_REQUESTER: "local"}
    assert (await gets(api, f"{SCHEDULES}/morning"))["id"] == found["id"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"interval": None, "cron": ["0 0 30 2 *"]}, "spec.cron[0]"),
        ({"timeZone": "Mars/Base"}, "spec.timeZone"),
        ({"interval": {"seconds": 0}}, "spec.interval.seconds"),
        ({"cron": ["0 9 * * *"]}, "spec"),
    ],
)
async def test_a_trigger_that_nobody_can_follow_is_refused_with_its_field(
    api: Api, spec: dict[str, Any], field: str
) -> None:
    wanted = {name: value for name, value in {**SPEC, **spec}.items() if value is not None}
    body = {"metadata": {"name": "morning"}, "spec": wanted}
    async with api.user.post(SCHEDULES, json=body) as answer:
        refused = await answer.json()
    assert (answer.status, refused["field"]) == (422, field)
    assert api.cluster.objects == {}


async def test_lists_hold_schedules_and_nothing_else(api: Api) -> None:
    await api.mirrored("morning", kind="Schedule", phase="Active")
    await api.mirrored("first")
    for path in (SCHEDULES, "/v1/schedules", "/v1/schedules?phase=Active"):
        assert [each["name"] for each in (await gets(api, path))["items"]] == ["morning"]
    assert (await gets(api, "/v1/schedules?phase=Failed"))["items"] == []


async def test_a_trigger_is_asked_once_by_its_id_and_wakes_the_operator(api: Api) -> None:
    uid = (await made(api))["id"]
    id_ = str(uuid4())
    asked = [await asks(api, "trigger", id=id_, reason="now please") for _ in range(2)]
    assert [each[0] for each in asked] == [202, 202]
    assert [each[1]["accepted"] for each in asked] == [True, False]
    (request,) = (await standing(api, uid)).requests
    assert (request.id, request.kind, request.by) == (id_, "Trigger", "user:local")
    assert request.why == "now please"
    rows = await api.operator.run(lambda c: c.fetch("SELECT kind, name FROM wakes"))
    assert [tuple(row) for row in rows] == [("Schedule", "morning")]


async def test_a_backfill_names_a_past_range_that_holds_ticks(api: Api) -> None:
    uid = (await made(api))["id"]
    status, _ = await asks(
        api, "backfill", since="2026-11-21T04:00:00+01:00", until="2026-11-21T03:05:00Z"
    )
    assert status == 202
    (request,) = (await standing(api, uid)).requests
    assert (request.since, request.until) == (AT, AT + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2026-11-21T03:05:00Z", "2026-11-21T03:00:00Z", "since is later than until"),
        ("2026-11-21T03:00:01Z", "2026-11-21T03:00:59Z", "there is no tick"),
        ("2026-01-21T03:00:00Z", "2026-11-21T03:00:00Z", "more than 1000 ticks"),
        ("2026-11-21T03:00:00Z", "2999-01-01T00:00:00Z", "about the past"),
        ("0001-01-01T00:00:00Z", "2026-11-21T03:00:00Z", "from 1970 to 2999"),
        ("1969-12-31T23:59:59Z", "2026-11-21T03:00:00Z", "from 1970 to 2999"),
        ("2026-11-21T03:00:00Z", "9999-12-31T23:59:59-14:00", "from 1970 to 2999"),
    ],
)
async def test_any_other_range_is_refused(api: Api, since: str, until: str, words: str) -> None:
    uid = (await made(api))["id"]
    status, refused = await asks(api, "backfill", since=since, until=until)
    assert status == 422
    assert words in refused["message"]
    assert (await standing(api, uid)).requests == ()


async def test_it_is_paused_with_a_note_and_goes_on(api: Api) -> None:
    uid = (await made(api))["id"]
    for _ in range(2):
        assert (await asks(api, "suspend", reason="holidays"))[0] == 202
    note = json.loads(api.cluster.objects[PATH]["metadata"]["annotations"]["coxswain.dev/suspend"])
    assert (note["by"], note["why"]) == ("user:local", "holidays")
    assert (await asks(api, "resume"))[0] == 202
    assert names.ANNOTATION_SUSPEND not in api.cluster.objects[PATH]["metadata"]["annotations"]
    assert [each.kind for each in (await standing(api, uid)).requests] == ["Continue"]
    assert api.cluster.objects[PATH]["spec"] == SPEC


async def test_what_the_spec_suspends_only_the_spec_continues(api: Api) -> None:
    await made(api, suspend=True)
    status, refused = await asks(api, "resume")
    assert (status, refused["code"]) == (409, "suspended_by_spec")


async def test_ticks_are_read_page_by_page_also_after_the_end(api: Api) -> None:
    row = await api.mirrored("morning", kind="Schedule", phase="Active")
    rows = [
        Tick(str(n), "Time", at, at, at).settled("Skipped", "Overlap", at)
        for n in range(5)
        for at in [AT + timedelta(minutes=n)]
    ]
    state = ScheduleState(trigger="{}", through=AT)
    change = TickChange(row.uid, "team", "morning", state, tuple(rows))
    await api.operator.transact(ticks.keep, [change])
    found, path = [], f"{SCHEDULES}/morning/ticks?limit=2"
    page = await gets(api, path)
    while True:
        found += [each["id"] for each in page["items"]]
        if "next" not in page:
            break
        page = await gets(api, f"{path}&cursor={page['next']}")
    assert found == ["4", "3", "2", "1", "0"]
    places = ["0001-01-01T00:00:00+14:00 4", "2026-01-01T00:00:00 4", "2026-01-01T00:00:00Z \x00"]
    written = [base64.urlsafe_b64encode(each.encode()).decode() for each in places]
    for cursor in ("nonsense", *written):
        async with api.user.get(f"{SCHEDULES}/morning/ticks?cursor={cursor}") as answer:
            problem = await answer.json()
        assert (answer.status, problem["field"]) == (400, "query.cursor")
    async with api.user.get(f"{SCHEDULES}/nobody/ticks") as answer:
        assert answer.status == 404


async def test_nobody_asks_without_a_token(api: Api) -> None:
    for path in (SCHEDULES, f"{SCHEDULES}/morning/trigger", f"{SCHEDULES}/morning/backfill"):
        async with api.anybody.post(path, json={}) as answer:
            assert answer.status == 401
