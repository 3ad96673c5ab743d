"""docs/inventory.json: every key that users may have written down somewhere, and the check that it still stands.

`hack/generate` only adds to it. A key that is gone, has another type, lost a word that was allowed or has
become required breaks what users have; it goes only with a line in the newest section of the changelog that
begins with one of ``WORDS`` and names the key in backticks.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from devtools import described, places, processes, reference

INVENTORY = places.REPOSITORY / "docs" / "inventory.json"
CHANGELOG = places.REPOSITORY / "docs" / "changelog.md"
WORDS = ("Removed", "Renamed", "Changed", "Required")

Key = dict[str, Any]
Keys = Mapping[str, Key]


def current() -> dict[str, Key]:
    """Every key as it is now: `sidecar COXSWAIN_PORT`, `values people.mode`."""
    found = {}
    for process in processes.PROCESSES:
        for each in processes.variables(process):
            is_required = each.field.is_required()
            key = f"{process} {each.name}"
            found[key] = _key(each.schema, each.root, is_required=is_required)
    root = reference.schema()
    for path, node, is_required in described.leaves(root):
        found[f"values {path}"] = _key(node, root, is_required=is_required)
    return found


def faults(standing: Keys, now: Keys, changelog: str) -> list[str]:
    """What is not as users know it, and is not told in the changelog; one sentence each."""
    told = _told(changelog)
    found = []
    for key in sorted({*standing, *now}):
        why = _broken(standing, now, key)
        if why and key.partition(" ")[2] not in told:
            found.append(f"{key} {why}")
    return found


def text() -> str:
    """The inventory with what is new; what is at fault stays as it was."""
    return written(_standing(), current(), CHANGELOG.read_text())


def written(standing: Keys, now: Keys, changelog: str) -> str:
    """The inventory of these keys."""
    told = _told(changelog)
    kept = {
        key: standing[key]
        for key in standing
        if _broken(standing, now, key) and key.partition(" ")[2] not in told
    }
    found = {**now, **kept}
    lines = [f"  {json.dumps(key)}: {json.dumps(found[key])}" for key in sorted(found)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def all_faults() -> list[str]:
    """Those of this repository."""
    return faults(_standing(), current(), CHANGELOG.read_text())


def _standing() -> dict[str, Key]:
    found: dict[str, Key] = json.loads(INVENTORY.read_text()) if INVENTORY.exists() else {}
    return found


def _key(node: Mapping[str, Any], root: Mapping[str, Any], *, is_required: bool) -> Key:
    found: Key = {"type": described.base(node, root)}
    if words := described.choices(node, root):
        found["words"] = words
    return {**found, "required": True} if is_required else found


def _broken(standing: Keys, now: Keys, key: str) -> str:
    """Why users would notice; nothing if they would not."""
    if key not in now:
        return "is gone"
    is_required = now[key].get("required", False)
    if key not in standing:
        return "is new and required" if is_required and standing else ""
    was, is_now = standing[key], now[key]
    if was["type"] != is_now["type"]:
        return f"was of type {was['type']} and is of type {is_now['type']}"
    gone = [word for word in was.get("words", ()) if word not in is_now.get("words", (word,))]
    if gone:
        return f"may no longer be {', '.join(gone)}"
    return "has become required" if is_required and not was.get("required") else ""


def _told(changelog: str) -> set[str]:
    """The keys that the newest section of the changelog tells of as changed; older ones speak of other changes."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    items = re.split(r"^- ", sections[1] if len(sections) > 1 else changelog, flags=re.MULTILINE)
    told = [each.partition("\n\n")[0] for each in items if each.startswith(WORDS)]
    return {key for each in told for key in re.findall(r"`([^`]+)`", each)}
