"""What the rooms share: memory, records, and the way to the cluster. One per time of leading."""

from dataclasses import dataclass, field
from datetime import datetime

from coxswain.kube.client import Client
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.crowd import Crowds
from coxswain.reconcile.records import Records
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.reconcile.workspaces import Workspaces
from coxswain.sandbox.pod import Platform


@dataclass
class World:
    """Handed to each room when it is made."""

    client: Client
    cache: Cache
    records: Records
    queue: WorkQueue
    workspaces: Workspaces
    platform: Platform
    runtime_classes: frozenset[str] = frozenset()
    """The RuntimeClasses that the cluster has, of those that were looked for."""
    crowds: Crowds = field(default_factory=Crowds)
    refusals: dict[str, str] = field(default_factory=dict)
    """What the API server said when a quota refused the pod of a Job, by the Job's uid."""
    agents_deleted: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When an Agent of that workspace and name was last deleted."""
