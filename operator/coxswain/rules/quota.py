"""What fits: a pod against the resource quotas of its namespace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from coxswain.api import quantity

Amounts = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class QuotaState:
    """One ResourceQuota: what it allows and what is used, for the resources that it bounds."""

    name: str
    hard: Amounts
    used: Amounts

    def room(self, resource: str) -> Decimal:
        """How much of a resource is left."""
        return self.hard[resource] - self.used.get(resource, Decimal(0))


def amounts(raw: Mapping[str, str | int]) -> dict[str, Decimal]:
    """Quantities of Kubernetes as numbers; what is no quantity we know is left out."""
    found = {}
    for name, value in raw.items():
        try:
            found[name] = quantity.number(value)
        except ValueError:
            continue
    return found


def demand(
    requests: Iterable[Mapping[str, str]], limits: Iterable[Mapping[str, str]]
) -> dict[str, Decimal]:
    """What one pod takes from a quota, under the names that quotas use.

    Of each container that runs at the same time one mapping, native sidecars among them.
    """
    taken = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for name, value in _sum(requests).items():
        taken[name] = taken[f"requests.{name}"] = value
    for name, value in _sum(limits).items():
        taken[f"limits.{name}"] = value
    return taken


def _sum(containers: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for each in containers:
        for name, value in amounts(each).items():
            total[name] = total.get(name, Decimal(0)) + value
    return total


def shortfall(quotas: Iterable[QuotaState], wanted: Amounts) -> str | None:
    """Say which quota has too little left for this, or None if it fits."""
    for quota in quotas:
        for resource in quota.hard:
            if wanted.get(resource, Decimal(0)) > quota.room(resource):
                return (
                    f"quota {quota.name} has {quota.room(resource)} of {quota.hard[resource]}"
                    f" {resource} left, {wanted[resource]} needed"
                )
    return None
