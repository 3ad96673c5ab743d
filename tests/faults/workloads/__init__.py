"""What people and agents do while things go wrong: one module each, found by its name."""

from importlib import import_module
from pkgutil import iter_modules

from tests.faults.workload import Workload


def names() -> list[str]:
    """Every workload."""
    return sorted(each.name for each in iter_modules(__path__))


def named(name: str) -> Workload:
    """One of them. ValueError names all where there is none of that name."""
    if name not in names():
        raise ValueError(f"workload: no {name!r}; there are {', '.join(names())}")
    module = import_module(f"{__name__}.{name}")
    return Workload(
        name=name,
        about=(module.__doc__ or "").strip(),
        play=module.play,
        ends=module.ENDS,
        script=module.SCRIPT,
        settings=getattr(module, "SETTINGS", {}),
        has_sidecar=getattr(module, "HAS_SIDECAR", False),
        replicas=getattr(module, "REPLICAS", 1),
        revision=getattr(module, "REVISION", None),
        waits=getattr(module, "WAITS", 0.0),
    )
