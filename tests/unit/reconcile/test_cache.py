"""The cache: never older than it was, never again what was deleted, and its indexes follow."""

from collections.abc import Hashable, Mapping
from typing import Any

from coxswain import names
from coxswain.reconcile.cache import BURIED, Cache
from coxswain.reconcile.key import Key

Body = dict[str, Any]


def form(name: str, version: int, *, uid: str | None = None, **metadata: Any) -> Body:
    known = {"name": name, "namespace": "team", "uid": uid or f"uid-of-{name}"}
    return {"metadata": {**known, "resourceVersion": str(version), **metadata}, "version": version}


def controlled_by(uid: str, api_version: str = names.API_VERSION) -> list[Body]:
    reference = {"apiVersion": api_version, "kind": "Job", "name": "read", "uid": uid}
    return [{**reference, "controller": True}]


def by_line(kind: str, raw: Mapping[str, Any]) -> Hashable | None:
    line: str | None = raw["metadata"].get("labels", {}).get("line")
    return (kind, line) if line else None


def test_an_older_or_equal_form_never_replaces_a_newer_one() -> None:
    cache = Cache()
    assert cache.put("Job", form("a", 9))
    for version in (1, 8, 9):
        assert not cache.put("Job", {**form("a", version), "version": "stale"})
    known = cache.get("Job", "uid-of-a")
    assert known is not None
    assert known["version"] == 9
    # As numbers, not as texts.
    assert cache.put("Job", form("a", 10))


def test_a_deleted_uid_does_not_come_back() -> None:
    cache = Cache()
    cache.put("Job", form("a", 3))
    assert cache.remove("Job", form("a", 4))
    assert not cache.put("Job", form("a", 5))
    assert cache.get("Job", "uid-of-a") is None
    assert cache.named("Job", "team", "a") is None
    assert not cache.remove("Job", form("a", 6))


def test_a_deletion_that_is_heard_before_the_object_holds_too() -> None:
    cache = Cache()
    assert not cache.remove("Job", form("a", 4))
    assert not cache.put("Job", form("a", 3))
    assert cache.count("Job") == 0


def test_only_the_latest_deletions_are_remembered() -> None:
    cache = Cache()
    for number in range(BURIED + 1):
        cache.remove("Job", form(str(number), 1))
    assert cache.put("Job", form("0", 2))
    assert not cache.put("Job", form("1", 2))


def test_a_namesake_made_later_is_another_object() -> None:
    cache = Cache()
    cache.put("Job", form("a", 1, uid="first"))
    cache.put("Job", form("a", 2, uid="second"))
    cache.remove("Job", form("a", 3, uid="first"))
    found = cache.named("Job", "team", "a")
    assert found is not None
    assert found["metadata"]["uid"] == "second"
    assert cache.keys("Job") == [Key("Job", "team", "a", "second")]


def test_kinds_do_not_mix() -> None:
    cache = Cache()
    cache.put("Job", form("a", 1))
    assert cache.get("Agent", "uid-of-a") is None
    assert cache.named("Agent", "team", "a") is None
    assert list(cache.all("Agent")) == []


def test_an_object_is_counted_in_the_group_that_its_newest_form_says() -> None:
    cache = Cache(by_line)
    cache.put("Pod", form("a", 1, labels={"line": "one"}))
    cache.put("Pod", form("b", 2, labels={"line": "one"}))
    cache.put("Pod", form("a", 3, labels={"line": "two"}))
    assert [each["metadata"]["name"] for each in cache.group(("Pod", "one"))] == ["b"]
    assert [each["version"] for each in cache.group(("Pod", "two"))] == [3]
    cache.put("Pod", form("a", 4))
    cache.remove("Pod", form("b", 5))
    assert cache.group(("Pod", "one")) == cache.group(("Pod", "two")) == ()


def test_children_are_what_an_object_of_ours_controls() -> None:
    cache = Cache()
    cache.put("Pod", form("ours", 1, ownerReferences=controlled_by("j")))
    cache.put("Pod", form("theirs", 2, ownerReferences=controlled_by("j", "batch/v1")))
    cache.put("Pod", form("ours", 3, ownerReferences=controlled_by("j")))
    assert [each["version"] for each in cache.children("j")] == [3]
    cache.remove("Pod", form("ours", 4))
    assert cache.children("j") == ()


def test_a_form_is_read_once_per_version() -> None:
    cache = Cache()
    read: list[int] = []

    def reader(raw: Mapping[str, Any]) -> int:
        read.append(raw["version"])
        return -int(raw["version"])

    assert cache.form("Job", "uid-of-a", reader) is None
    cache.put("Job", form("a", 1))
    assert [cache.form("Job", "uid-of-a", reader) for _ in range(3)] == [-1, -1, -1]
    cache.put("Job", form("a", 2))
    assert [cache.form("Job", "uid-of-a", reader) for _ in range(3)] == [-2, -2, -2]
    assert read == [1, 2]
    cache.remove("Job", form("a", 3))
    assert cache.form("Job", "uid-of-a", reader) is None


def test_the_record_of_who_wrote_which_field_is_not_kept() -> None:
    cache = Cache()
    given = form("a", 1, managedFields=[{"manager": "kubectl"}])
    cache.put("Job", given)
    known = cache.get("Job", "uid-of-a")
    assert known is not None
    assert "managedFields" not in known["metadata"]
    assert "managedFields" in given["metadata"]
