"""The ways in for people and machines, as the settings say."""

from collections.abc import Coroutine
from typing import Any

from coxswain.identity.issuer import Issuer, Nowhere
from coxswain.identity.key_ring import KeyRing
from coxswain.identity.local_token import LocalToken
from coxswain.identity.machines import Machines
from coxswain.identity.people import Claimed, People
from coxswain.identity.reviews import Reviews
from coxswain.identity.users import Finder
from coxswain.people_settings import GroupGrant
from coxswain.rules.permissions import Grant, Role
from coxswain.settings import SidecarSettings
from coxswain.sidecar.cluster import Objects
from coxswain.store.pool import Store


class WaysIn:
    """What finds callers, in the order in which it is asked, and the work that keeps it current."""

    def __init__(self, given: SidecarSettings, store: Store, cluster: Objects) -> None:
        self.finders: list[Finder] = [Machines(store)]
        self._issuer_keys: KeyRing | None = None
        if given.local_token_file is not None:
            self.finders.append(LocalToken(given.local_token_file))
        if given.people == "oidc":
            self._issuer_keys = _issuer_keys(given)
            self.finders.append(_people(given, self._issuer_keys))
        if given.people == "kubernetes":
            self.finders.append(_reviews(given, cluster))

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run beside the server."""
        return [] if self._issuer_keys is None else [self._issuer_keys.run()]

    async def check(self) -> None:
        """Raise UnavailableError while nobody of the issuer could be let in."""
        if self._issuer_keys is not None:
            await self._issuer_keys.check()


def _issuer_keys(given: SidecarSettings) -> KeyRing:
    issuer = Issuer(given.oidc_issuer, given.oidc_ca_file)
    return KeyRing(issuer, Nowhere(), given.oidc_issuer, "oidc")


def _people(given: SidecarSettings, keys: KeyRing) -> People:
    claimed = Claimed(
        issuer=given.oidc_issuer,
        audience=given.oidc_audience,
        name=given.oidc_name_claim,
        groups=given.oidc_groups_claim,
    )
    return People(keys, claimed, {name: _grant(each) for name, each in given.people_groups.items()})


def _grant(given: GroupGrant) -> Grant:
    where = None if given.workspaces is None else frozenset(given.workspaces)
    return Grant(Role(given.role), where)


def _reviews(given: SidecarSettings, cluster: Objects) -> Reviews:
    return Reviews(
        cluster,
        given.onboarded_workspaces,
        installation=given.installation,
        audience=given.kubernetes_audience,
    )
