"""Who may call which route: the one table that servers, OpenAPI documents and docs/permissions.md share. Pure.

A route that has no row here is not served: a server that has one does not start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """Which sort of caller a route is for."""

    ANYBODY = "anybody"
    """No token; what comes in is signed in another way."""
    POD = "a pod that has claimed nothing yet"
    RUN = "a pod with an open run"
    USER = "people and machines"
    PERSON = "people"


class Role(StrEnum):
    """What somebody is in a workspace. Each includes the one before."""

    READ = "Read"
    MEMBER = "Member"
    ADMIN = "Admin"


class Need(StrEnum):
    """What a route asks of people and machines."""

    READ = "Read"
    WORK = "Member"
    OWN = "Member for what they made, Admin for all"
    ADMINISTER = "Admin"


class Scope(StrEnum):
    """Where they need it."""

    WORKSPACE = "the workspace of the path"
    SEEN = "each workspace; of others nothing is told"
    INSTALLATION = "all workspaces"


@dataclass(frozen=True)
class Permission:
    """A row of the table. ``right`` is what Kubernetes is asked where its rights decide: verb and resource."""

    who: Who
    need: Need = Need.READ
    scope: Scope = Scope.WORKSPACE
    right: str = ""
    asks_queue: bool = False
    """Whether the route asks for the queue of the work that it is about."""

    @property
    def is_for_users(self) -> bool:
        """Whether people or machines may come at all, so that roles are asked for."""
        return self.who in (Who.USER, Who.PERSON)

    @property
    def is_for_machines(self) -> bool:
        """Whether an API key may be used."""
        return self.who is Who.USER

    @property
    def is_for_some_queues(self) -> bool:
        """Whether an API key for some queues may be used: to read, and where its queue is asked for."""
        return self.is_for_machines and (
            self.asks_queue or self.right.startswith(("get ", "list "))
        )

    @property
    def role(self) -> Role:
        """The least role with which it is open, at least for one's own."""
        return _LEAST[self.need]


@dataclass(frozen=True)
class Grant:
    """A role in some workspaces, or in all (None)."""

    role: Role
    workspaces: frozenset[str] | None = None


_RANK = {role: rank for rank, role in enumerate(Role)}
_LEAST = {
    Need.READ: Role.READ,
    Need.WORK: Role.MEMBER,
    Need.OWN: Role.MEMBER,
    Need.ADMINISTER: Role.ADMIN,
}


def role_in(grants: Iterable[Grant], workspace: str | None) -> Role | None:
    """The highest role in a workspace, or with None in all of them at once."""
    found = [
        each.role
        for each in grants
        if each.workspaces is None or (workspace is not None and workspace in each.workspaces)
    ]
    return max(found, key=_RANK.__getitem__, default=None)


def reaches(role: Role | None, least: Role) -> bool:
    """Whether this role is enough."""
    return role is not None and _RANK[role] >= _RANK[least]


def covered(grants: Iterable[Grant], least: Role) -> frozenset[str] | None:
    """The workspaces in which the role is enough; None: all of them."""
    enough = [each.workspaces for each in grants if reaches(each.role, least)]
    named = [each for each in enough if each is not None]
    return frozenset[str]().union(*named) if len(named) == len(enough) else None


def _read(right: str, scope: Scope = Scope.WORKSPACE) -> Permission:
    return Permission(Who.USER, Need.READ, scope, right)


def _seen(right: str) -> Permission:
    return _read(right, Scope.SEEN)


def _work(right: str, scope: Scope = Scope.WORKSPACE) -> Permission:
    return Permission(Who.USER, Need.WORK, scope, right)


def _work_of_queue(right: str) -> Permission:
    return Permission(Who.USER, Need.WORK, right=right, asks_queue=True)


def _own(right: str) -> Permission:
    return Permission(Who.USER, Need.OWN, right=right, asks_queue=True)


def _administer(right: str) -> Permission:
    return Permission(Who.USER, Need.ADMINISTER, right=right)


def _keys(right: str) -> Permission:
    return Permission(Who.PERSON, Need.ADMINISTER, Scope.INSTALLATION, right)


_CONFIG = Permission(Who.USER, Need.READ, Scope.INSTALLATION, "get config")
_FLAGS = Permission(Who.USER, Need.ADMINISTER, Scope.INSTALLATION, "update config")
_AUDIT = Permission(Who.USER, Need.ADMINISTER, Scope.INSTALLATION, "list audit")
_RUN = Permission(Who.RUN)
# Whose word counts, the Job or the Agent names: a role gives nobody a say.
_AGREE = Permission(Who.PERSON, Need.READ, right="get jobs")
_W = "/v1/workspaces/{workspace}"
_JOB = f"{_W}/jobs/{{name}}"
_SCHEDULE = f"{_W}/schedules/{{name}}"
_LEASE = f"{_W}/leases/{{name}}"
_DELIVERY = f"{_W}/deliveries/{{delivery}}"

TABLE: dict[str, Permission] = {
    "POST /v1/run/claim": Permission(Who.POD),
    "POST /v1/run/events": _RUN,
    "POST /v1/run/heartbeat": _RUN,
    "POST /v1/run/acts": _RUN,
    "POST /v1/run/approvals": _RUN,
    "PUT /v1/run/artifacts/{artifact}": _RUN,
    "POST /v1/run/result": _RUN,
    "GET /v1/run/report": _RUN,
    "GET /v1/run/leases": _RUN,
    "POST /v1/run/leases/{name}/acquire": _RUN,
    "POST /v1/run/leases/{name}/renew": _RUN,
    "POST /v1/run/leases/{name}/release": _RUN,
    "POST /v1/chat/completions": _RUN,
    "GET /v1/models": _RUN,
    "POST /v1/hooks/{workspace}/{schedule}": Permission(Who.ANYBODY),
    "GET /v1/jobs": _seen("list jobs"),
    f"GET {_W}/jobs": _read("list jobs"),
    f"POST {_W}/jobs": _work_of_queue("create jobs"),
    f"GET {_JOB}": _read("get jobs"),
    f"GET {_JOB}/log": _read("get jobs"),
    f"GET {_JOB}/result": _read("get jobs"),
    f"GET {_JOB}/stream": _read("get jobs"),
    f"GET {_JOB}/artifacts/{{artifact}}": _read("get jobs"),
    f"POST {_JOB}/cancel": _own("update jobs"),
    f"POST {_JOB}/suspend": _own("update jobs"),
    f"POST {_JOB}/resume": _own("update jobs"),
    f"POST {_JOB}/review": _own("update jobs"),
    f"POST {_JOB}/rerun": _work_of_queue("create jobs"),
    "GET /v1/approvals": _seen("list jobs"),
    f"GET {_JOB}/approval": _read("get jobs"),
    f"POST {_JOB}/approve": _AGREE,
    f"POST {_JOB}/deny": _AGREE,
    f"GET {_JOB}/calls": _read("get jobs"),
    f"POST {_JOB}/calls/{{hash}}/approve": _AGREE,
    f"POST {_JOB}/calls/{{hash}}/deny": _AGREE,
    "GET /v1/agents": _seen("list agents"),
    f"GET {_W}/agents": _read("list agents"),
    f"GET {_W}/agents/{{name}}": _read("get agents"),
    "GET /v1/schedules": _seen("list schedules"),
    f"GET {_W}/schedules": _read("list schedules"),
    f"POST {_W}/schedules": _work_of_queue("create schedules"),
    f"GET {_SCHEDULE}": _read("get schedules"),
    f"GET {_SCHEDULE}/ticks": _read("get schedules"),
    f"POST {_SCHEDULE}/trigger": _own("update schedules"),
    f"POST {_SCHEDULE}/backfill": _own("update schedules"),
    f"POST {_SCHEDULE}/suspend": _own("update schedules"),
    f"POST {_SCHEDULE}/resume": _own("update schedules"),
    "GET /v1/leases": _seen("list leases"),
    f"GET {_W}/leases": _read("list leases"),
    f"POST {_W}/leases": _work("create leases"),
    f"GET {_LEASE}": _read("get leases"),
    # Who holds a lease is no question of roles: its holder and its token decide.
    f"POST {_LEASE}/acquire": _work("update leases"),
    f"POST {_LEASE}/renew": _work("update leases"),
    f"POST {_LEASE}/release": _work("update leases"),
    f"POST {_W}/lease-renewals": _work("update leases"),
    f"POST {_LEASE}/reclaim": _administer("update leases"),
    f"GET {_W}/job-types": _read("list configmaps"),
    f"GET {_W}/job-types/{{name}}": _read("get configmaps"),
    f"POST {_W}/job-types": _administer("create configmaps"),
    f"PATCH {_W}/job-types/{{name}}": _administer("update configmaps"),
    "GET /v1/events": _seen("list jobs"),
    "POST /v1/events": _work("update jobs", Scope.SEEN),
    "GET /v1/metrics": _seen("list jobs"),
    "GET /v1/deliveries": _seen("list jobs"),
    f"GET {_W}/deliveries": _read("list jobs"),
    f"GET {_DELIVERY}": _read("get jobs"),
    f"POST {_DELIVERY}/redrive": _own("update jobs"),
    "GET /v1/audit": _AUDIT,
    "GET /v1/audit/keys": _AUDIT,
    "GET /v1/audit/export": _AUDIT,
    "GET /v1/health": _read("get health", Scope.INSTALLATION),
    "GET /v1/config": _CONFIG,
    "GET /v1/flags": _CONFIG,
    "PATCH /v1/flags": _FLAGS,
    "GET /v1/keys": _keys("list apikeys"),
    "POST /v1/keys": _keys("create apikeys"),
    "POST /v1/keys/{key}/revoke": _keys("update apikeys"),
}
