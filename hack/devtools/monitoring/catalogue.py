"""Everything that the platform measures, read from its own registry."""

import importlib
import pkgutil

from coxswain import telemetry
from coxswain.telemetry import metrics

HEAD = """# Metrics

What each process serves at `/metrics`, beside the metrics of the process itself (`process_`, `python_`). A process
shows those of the parts that it has; counters and gauges of Jobs, the loop and the outbox move at the leader alone.

| name | type | labels | means |
| --- | --- | --- | --- |
"""


def page() -> str:
    """docs/metrics.md, from its first line on."""
    for each in pkgutil.iter_modules(telemetry.__path__):
        importlib.import_module(f"{telemetry.__name__}.{each.name}")
    labels = {
        name: getattr(collector, "_labelnames", ())
        for collector, names in metrics.REGISTRY._collector_to_names.items()
        for name in names
    }
    rows = []
    for family in sorted(metrics.REGISTRY.collect(), key=lambda each: each.name):
        if family.name.startswith("coxswain_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            told = ", ".join(labels[name]) or "-"
            rows.append(f"| `{name}` | {family.type} | {told} | {family.documentation} |")
    return HEAD + "\n".join(rows) + "\n"
