"""Everything that the platform measures, read from its registry."""

import importlib
import pkgutil
from typing import Any

from coxswain import telemetry
from coxswain.telemetry import metrics

for _each in pkgutil.iter_modules(telemetry.__path__):
    importlib.import_module(f"{telemetry.__name__}.{_each.name}")


def labels() -> dict[str, frozenset[str]]:
    """Every name that Prometheus knows, with the labels that its series may have."""
    return {each: frozenset[str]() for each in _families("process_")} | {
        name: frozenset(getattr(collector, "_labelnames", ()))
        for collector, names in metrics.REGISTRY._collector_to_names.items()
        for name in names
        if not name.endswith("_created")
    }


def families() -> set[str]:
    """Every metric of ours, by the name under which its first series is found."""
    return _families("coxswain_")


def _families(prefix: str) -> set[str]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.REGISTRY.collect()
        if family.name.startswith(prefix)
    }


def value(name: str, **of: str) -> float:
    """A sample as it stands now; 0 where there is none."""
    return metrics.REGISTRY.get_sample_value(name, of) or 0.0


def series(name: str) -> dict[tuple[Any, ...], float]:
    """Every series of that name: its labels' values in their order, with its own."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.name == name
    }
