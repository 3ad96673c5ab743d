"""What we know of the cluster: the newest form of each object that we saw or wrote, with indexes.

It is filled by lists and watches and by our own writes, and is rebuilt on start. An older form
never replaces a newer one, and a deleted uid does not come back.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

from coxswain.reconcile import key as keys
from coxswain.reconcile import slim
from coxswain.reconcile.key import Key

Raw = Mapping[str, Any]
F = TypeVar("F")

BURIED = 10_000


def version(raw: Raw) -> int:
    """The resourceVersion as a number; the API server promises that they can be compared."""
    text = raw["metadata"].get("resourceVersion", "")
    return int(text) if text.isdigit() else 0


class Cache:
    """Objects by kind and uid, by name, by group, and children by the uid of their controller.

    ``group_of`` says in which group an object is counted, such as the pods of one Agent;
    ``pod_changed`` hears of each pod's former and new form.
    """

    def __init__(
        self,
        group_of: Callable[[str, Raw], Hashable | None] = lambda *_: None,
        pod_changed: Callable[[Raw | None, Raw | None], None] = lambda *_: None,
    ) -> None:
        self._group_of = group_of
        self._pod_changed = pod_changed
        self._groups: dict[Hashable, dict[str, Raw]] = defaultdict(dict)
        self._objects: dict[str, dict[str, Raw]] = defaultdict(dict)
        self._names: dict[tuple[str, str, str], str] = {}
        self._children: dict[str, dict[str, Raw]] = defaultdict(dict)
        self._forms: dict[str, dict[Callable[[Raw], Any], tuple[Raw, Any]]] = defaultdict(dict)
        self._buried: OrderedDict[str, None] = OrderedDict()

    def put(self, kind: str, raw: Raw) -> bool:
        """Keep an object if it is newer than what is known; tell whether it was."""
        metadata = raw["metadata"]
        uid = metadata["uid"]
        known = self._objects[kind].get(uid)
        if uid in self._buried or (known is not None and version(known) >= version(raw)):
            return False
        kept = slim.of(kind, raw)
        self._objects[kind][uid] = kept
        self._names[kind, metadata["namespace"], metadata["name"]] = uid
        owner = keys.owner(raw)
        if owner is not None:
            self._children[owner.uid][uid] = kept
        self._regroup(kind, uid, known, kept)
        return True

    def remove(self, kind: str, raw: Raw) -> bool:
        """Forget an object for good; tell whether it was known."""
        metadata = raw["metadata"]
        uid = metadata["uid"]
        self._bury(uid)
        known = self._objects[kind].pop(uid, None)
        name = (kind, metadata["namespace"], metadata["name"])
        if self._names.get(name) == uid:
            del self._names[name]
        if known is None:
            return False
        owner = keys.owner(known)
        if owner is not None:
            _drop(self._children, owner.uid, uid)
        self._regroup(kind, uid, known, None)
        self._forms.pop(uid, None)
        return True

    def has_buried(self, uid: str) -> bool:
        """Whether the object with that uid was forgotten for good, not too long ago."""
        return uid in self._buried

    def get(self, kind: str, uid: str) -> Raw | None:
        """The object with that uid."""
        return self._objects[kind].get(uid)

    def named(self, kind: str, namespace: str, name: str) -> Raw | None:
        """The object that has the name now."""
        uid = self._names.get((kind, namespace, name))
        return None if uid is None else self._objects[kind].get(uid)

    def form(self, kind: str, uid: str, read: Callable[[Raw], F]) -> F | None:
        """The object as a type: read once per version, always with the same function."""
        raw = self._objects[kind].get(uid)
        if raw is None:
            return None
        forms = self._forms[uid]
        known = forms.get(read)
        if known is None or known[0] is not raw:
            known = forms[read] = raw, read(raw)
        form: F = known[1]
        return form

    def all(self, kind: str) -> Iterator[Raw]:
        """Every object of a kind, as it stands when asked."""
        return iter(list(self._objects[kind].values()))

    def children(self, uid: str) -> tuple[Raw, ...]:
        """What the object with that uid controls."""
        found = self._children.get(uid)
        return () if found is None else tuple(found.values())

    def group(self, group: Hashable) -> tuple[Raw, ...]:
        """The objects of a group."""
        found = self._groups.get(group)
        return () if found is None else tuple(found.values())

    def count(self, kind: str) -> int:
        """How many objects of a kind are known."""
        return len(self._objects[kind])

    def keys(self, kind: str) -> list[Key]:
        """The keys of every object of a kind."""
        return [keys.of(kind, raw) for raw in self._objects[kind].values()]

    def _regroup(self, kind: str, uid: str, before: Raw | None, after: Raw | None) -> None:
        left = None if before is None else self._group_of(kind, before)
        group = None if after is None else self._group_of(kind, after)
        if left is not None and left != group:
            _drop(self._groups, left, uid)
        if group is not None and after is not None:
            self._groups[group][uid] = after
        if kind == "Pod":
            self._pod_changed(before, after)

    def _bury(self, uid: str) -> None:
        self._buried[uid] = None
        if len(self._buried) > BURIED:
            self._buried.popitem(last=False)


def _drop(index: dict[Any, dict[str, Raw]], place: Hashable, uid: str) -> None:
    index[place].pop(uid, None)
    if not index[place]:
        del index[place]
