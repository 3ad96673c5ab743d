"""People and machines, before it is asked what they may do: who a token stands for, and by which rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from coxswain.errors import ForbiddenError
from coxswain.identity.callers import UserCaller, text_of
from coxswain.rules import permissions
from coxswain.rules.permissions import Grant, Need, Permission, Role, Scope

NOT_PERMITTED = "not_permitted"
QUEUE = "queue_not_permitted"


class Rights(Protocol):
    """What somebody may do, and where."""

    async def role_for(self, permission: Permission, workspace: str | None) -> Role | None:
        """The role in a workspace, or with None in all of them at once."""
        ...

    async def workspaces_for(self, permission: Permission) -> frozenset[str] | None:
        """The workspaces in which the permission is theirs; None: all of them."""
        ...


@dataclass(frozen=True)
class Granted:
    """Rights that were given by us: to groups of people, to keys."""

    grants: tuple[Grant, ...]

    async def role_for(self, permission: Permission, workspace: str | None) -> Role | None:
        """The highest role that was given there."""
        return permissions.role_in(self.grants, workspace)

    async def workspaces_for(self, permission: Permission) -> frozenset[str] | None:
        """Where the role is enough."""
        return permissions.covered(self.grants, permission.role)


@dataclass(frozen=True)
class User:
    """A person or a machine."""

    name: str
    rights: Rights
    is_machine: bool = False
    queues: frozenset[str] | None = None

    @override
    def __str__(self) -> str:
        return text_of(self.name)


class Finder(Protocol):
    """One way in."""

    async def find(self, token: str) -> User | None:
        """Who the token stands for; None: it is not of this sort at all.

        Raises UnauthenticatedError where it is of this sort and not good.
        """
        ...


async def find(finders: Sequence[Finder], token: str) -> User | None:
    """Who the token stands for, by the first way that knows its sort."""
    for each in finders:
        user = await each.find(token)
        if user is not None:
            return user
    return None


async def admitted(user: User, permission: Permission, workspace: str | None) -> UserCaller:
    """The user as a caller of a route. Raises ForbiddenError not_permitted or queue_not_permitted."""
    if user.is_machine and not permission.is_for_machines:
        text = "this route is for people; an API key does not open it"
        raise ForbiddenError(text, code=NOT_PERMITTED)
    if user.queues is not None and not permission.is_for_some_queues:
        text = (
            "what this changes is of no queue; use a key without queues, which is for all of them"
        )
        raise ForbiddenError(text, code=QUEUE)
    if permission.scope is Scope.SEEN:
        found = await user.rights.workspaces_for(permission)
        if found is not None and not found:
            raise _refusal(user, permission, None, "any workspace")
        return UserCaller(user.name, found, permission.need is not Need.OWN, user.queues)
    if permission.scope is Scope.INSTALLATION or workspace is None:
        workspace, where = None, "all workspaces"
    else:
        where = f"workspace '{workspace}'"
    role = await user.rights.role_for(permission, workspace)
    if not permissions.reaches(role, permission.role):
        raise _refusal(user, permission, role, where)
    within = None if workspace is None else frozenset({workspace})
    return UserCaller(user.name, within, role is Role.ADMIN, user.queues)


def _refusal(user: User, permission: Permission, role: Role | None, where: str) -> ForbiddenError:
    has = f"has only the role {role}" if role is not None else "has none"
    text = f"this needs the role {permission.role} in {where}; {user.name} {has}"
    return ForbiddenError(text, code=NOT_PERMITTED)
