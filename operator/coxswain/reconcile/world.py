"""What the rooms share: memory, records, and the way to the cluster. One per time of leading."""

from dataclasses import dataclass, field
from datetime import datetime

from coxswain.kube.client import Client
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.dependents import Dependents
from coxswain.reconcile.descent import Descent
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.enforcement import Enforcement
from coxswain.reconcile.job_types import JobTypes
from coxswain.reconcile.journal import Journal
from coxswain.reconcile.pace import Pace
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.records import Records
from coxswain.reconcile.refusals import Refusals
from coxswain.reconcile.runtimes import RuntimeClasses
from coxswain.reconcile.tick_records import TickRecords
from coxswain.reconcile.turns import Turns
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.reconcile.workspaces import Workspaces
from coxswain.sandbox.pod import Platform
from coxswain.settings import LimitSettings
from coxswain.store.flags import Switch


@dataclass
class World:
    """Handed to each room when it is made."""

    client: Client
    cache: Cache
    records: Records
    journal: Journal
    queue: WorkQueue
    turns: Turns
    workspaces: Workspaces
    runtimes: RuntimeClasses
    job_types: JobTypes
    platform: Platform
    ticks: TickRecords
    displaced: Displaced
    pace: Pace
    """How fast Schedules make Jobs."""
    schedules: Switch
    """Whether they make any."""
    enforcement: Enforcement | None = None
    """Probes whether the network policy is enforced; none where that is switched off."""
    reach: Reach = field(default_factory=Reach)
    """Which workspaces are read, and which of them are lost."""
    limits: LimitSettings = field(default_factory=LimitSettings)
    descent: Descent = field(default_factory=Descent)
    dependents: Dependents = field(default_factory=Dependents)
    refusals: Refusals = field(default_factory=Refusals)
    agents_deleted: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When an Agent of that workspace and name was last deleted."""
    is_compared: bool = True
    """Whether what lives was compared with the records once: what went away while nobody led is known."""
