"""Roles in workspaces, and where they are enough."""

import pytest

from coxswain.rules import permissions
from coxswain.rules.permissions import TABLE, Grant, Need, Role, Scope

TEAM = frozenset({"team"})
READ, MEMBER, ADMIN = Grant(Role.READ), Grant(Role.MEMBER, TEAM), Grant(Role.ADMIN, TEAM)


@pytest.mark.parametrize(
    ("grants", "workspace", "role"),
    [
        ((), "team", None),
        ((MEMBER,), "team", Role.MEMBER),
        ((MEMBER,), "other", None),
        ((MEMBER,), None, None),
        ((READ,), "other", Role.READ),
        ((READ,), None, Role.READ),
        ((MEMBER, ADMIN, READ), "team", Role.ADMIN),
        ((MEMBER, ADMIN, READ), "other", Role.READ),
        ((MEMBER, ADMIN, READ), None, Role.READ),
    ],
)
def test_of_all_roles_that_were_given_in_a_workspace_the_highest_counts(
    grants: tuple[Grant, ...], workspace: str | None, role: Role | None
) -> None:
    assert permissions.role_in(grants, workspace) == role


@pytest.mark.parametrize(
    ("grants", "least", "found"),
    [
        ((), Role.READ, frozenset()),
        ((MEMBER,), Role.READ, TEAM),
        ((MEMBER,), Role.ADMIN, frozenset()),
        ((MEMBER, Grant(Role.READ, frozenset({"other"}))), Role.READ, TEAM | {"other"}),
        ((MEMBER, READ), Role.READ, None),
        ((MEMBER, READ), Role.MEMBER, TEAM),
    ],
)
def test_a_role_is_enough_where_it_or_a_higher_one_was_given(
    grants: tuple[Grant, ...], least: Role, found: frozenset[str] | None
) -> None:
    assert permissions.covered(grants, least) == found


def test_no_role_reaches_none_and_each_reaches_itself_and_those_before() -> None:
    order = list(Role)
    for place, role in enumerate(order):
        assert not permissions.reaches(None, role)
        assert [permissions.reaches(role, each) for each in order] == [
            other <= place for other in range(len(order))
        ]


def test_whatever_changes_something_needs_more_than_reading_but_for_a_word() -> None:
    for route, permission in TABLE.items():
        if permission.is_for_users and not route.startswith("GET "):
            is_word = route.endswith(("/approve", "/deny"))
            assert (permission.need is Need.READ) == is_word, route


def test_every_row_for_people_names_a_right_of_kubernetes() -> None:
    for route, permission in TABLE.items():
        assert bool(permission.right) == permission.is_for_users, route
        if permission.right:
            verb, resource = permission.right.split()
            assert verb in {"get", "list", "create", "update"}, route
            kinds = {"jobs", "agents", "schedules", "leases", "configmaps"}
            assert resource in kinds | {"apikeys", "audit", "health"}


def test_only_what_is_about_no_workspace_is_asked_for_in_all_of_them() -> None:
    found = {route for route, each in TABLE.items() if each.scope is Scope.INSTALLATION}
    assert found == {
        "GET /v1/audit",
        "GET /v1/audit/export",
        "GET /v1/audit/keys",
        "GET /v1/health",
        "GET /v1/keys",
        "POST /v1/keys",
        "POST /v1/keys/{key}/revoke",
    }


def test_a_key_for_some_queues_reads_and_changes_only_what_has_a_queue() -> None:
    changed = {
        route.removeprefix("POST /v1/workspaces/{workspace}/")
        for route, each in TABLE.items()
        if each.is_for_some_queues and not route.startswith("GET ")
    }
    assert changed == {
        "jobs",
        *(f"jobs/{{name}}/{each}" for each in ("cancel", "suspend", "resume", "review", "rerun")),
        "schedules",
        *(f"schedules/{{name}}/{each}" for each in ("trigger", "backfill", "suspend", "resume")),
        "deliveries/{delivery}/redrive",
    }
    for route, each in TABLE.items():
        if route.startswith("GET "):
            assert each.is_for_some_queues == each.is_for_machines, route
