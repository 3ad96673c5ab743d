"""Which streams there are: what changes often past kopf, and where workspaces are named, everything.

kopf copies each object several times on its way to a handler, and a pod tells of itself four times
in its life. And one refused watch ends all that kopf hosts, so in a workspace that may be lost by
itself nothing is left to it: docs/decisions/0187.
"""

from collections.abc import Collection, Sequence
from functools import partial

from coxswain.errors import CoxswainError, ForbiddenError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.kube.watch import Hears, Raw, Stream
from coxswain.reconcile.intake import Intake
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.sweeper import Swept


def streams(
    client: Client,
    taken_in: Intake,
    reach: Reach,
    kinds: Collection[Swept],
    hosted: Collection[str],
) -> list[Stream]:
    """One per kind that kopf does not bring, or one per kind and workspace where these are named."""
    if reach.is_whole:
        return [_of_all(client, taken_in, each) for each in kinds if each.kind not in hosted]
    return [
        _of_one(client, taken_in, reach, each, place)
        for each in kinds
        for place in reach.places
        if place is not None
    ]


async def list_all(found: Collection[Stream]) -> None:
    """Read everything once. Raises if the API server does not answer; a lost workspace is passed by."""
    for each in found:
        try:
            await each.list()
        except (ForbiddenError, NotFoundError) as error:
            if not each.has_lost(error):
                raise


def _of_all(client: Client, taken_in: Intake, each: Swept) -> Stream:
    hears = Hears(
        listed=partial(taken_in.notice_all, each.kind),
        changed=lambda change: taken_in.hear(each.kind, change.type, change.raw),
    )
    return Stream(client, paths.collection(each.plural), each.selector, hears)


def _of_one(client: Client, taken_in: Intake, reach: Reach, each: Swept, workspace: str) -> Stream:
    def listed(items: Sequence[Raw], version: int) -> None:
        taken_in.notice_all(each.kind, items, version, workspace)
        reach.listed(workspace, each.kind)

    def refused(error: CoxswainError) -> None:
        reach.refused(workspace, each.kind, error)

    hears = Hears(
        listed=listed,
        changed=lambda change: taken_in.hear(each.kind, change.type, change.raw),
        refused=refused,
    )
    made = Stream(client, paths.collection(each.plural, workspace), each.selector, hears)
    reach.on_doubt(workspace, made.list_anew)
    return made
