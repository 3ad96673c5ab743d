"""Rights that nobody uses are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools import ledger, rights
from devtools.rights import ANY, HOME, WORKSPACE, Kept, Use
from tests.support import audit

Body = dict[str, Any]
GET_JOBS = Use("operator", "get", "jobs.coxswain.dev", ANY)
MAKE_TOKENS = Use("operator", "create", "serviceaccounts/token", HOME)


def role(kind: str, name: str, namespace: str | None, *rules: tuple[str, str, str]) -> Body:
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": verbs.split()}
            for group, resource, verbs in rules
        ],
    }


def binding(kind: str, of: Body, account: str, namespace: str | None = None) -> Body:
    return {
        "kind": kind,
        "metadata": {"name": "b", "namespace": namespace},
        "roleRef": {"kind": of["kind"], "name": of["metadata"]["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": f"coxswain-{account}"}],
    }


def test_what_is_granted_is_read_off_the_bindings_with_the_place_where_it_counts() -> None:
    watch = role("ClusterRole", "w", None, ("coxswain.dev", "jobs", "get watch"))
    work = role("ClusterRole", "x", None, ("", "pods", "create"))
    home = role("Role", "h", "coxswain-system", ("", "serviceaccounts/token", "create"))
    unbound = role("ClusterRole", "u", None, ("*", "*", "*"))
    found = rights.granted(
        [
            *(watch, work, home, unbound, {"kind": "Service", "metadata": {"name": "s"}}),
            binding("ClusterRoleBinding", watch, "operator"),
            binding("RoleBinding", work, "operator", "demo"),
            binding("RoleBinding", home, "operator", "coxswain-system"),
        ]
    )
    assert found == {
        GET_JOBS,
        Use("operator", "watch", "jobs.coxswain.dev", ANY),
        Use("operator", "create", "pods", WORKSPACE),
        MAKE_TOKENS,
    }


def test_a_right_for_everywhere_is_used_anywhere_and_another_only_in_its_place() -> None:
    used = {GET_JOBS._replace(place=WORKSPACE), MAKE_TOKENS._replace(place=WORKSPACE)}
    found = list(rights.faults({GET_JOBS, MAKE_TOKENS}, used, {}))
    assert [each.partition(" is ")[0] for each in found] == [str(MAKE_TOKENS)]
    assert list(rights.faults({GET_JOBS}, {GET_JOBS._replace(account="sidecar")}, {}))


def test_an_exception_is_for_what_is_granted_and_not_used() -> None:
    kept = {MAKE_TOKENS: Kept(MAKE_TOKENS, "why", "")}
    assert list(rights.faults({MAKE_TOKENS}, set(), kept)) == []
    assert "and was used" in next(rights.faults({MAKE_TOKENS}, {MAKE_TOKENS}, kept))
    assert "and not granted" in next(rights.faults(set(), set(), kept))


def test_what_several_api_servers_saw_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'[["operator", "get", "jobs.coxswain.dev", "{ANY}"]]')
    (tmp_path / "b.json").write_text(f'[["operator", "create", "serviceaccounts/token", "{HOME}"]]')
    assert rights.seen(tmp_path) == {GET_JOBS, MAKE_TOKENS}


def logged(user: str, verb: str, code: int = 200, /, **target: str) -> str:
    event = {
        "user": {"username": user},
        "verb": verb,
        "objectRef": target,
        "responseStatus": {"code": code},
    }
    return json.dumps(event)


def test_an_api_server_leaves_what_accounts_of_the_chart_asked_for_and_were_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, narrow = (f"{audit.PREFIX}{name}-operator" for name in audit.RELEASES)
    jobs = {"resource": "jobs", "apiGroup": "coxswain.dev"}
    log = tmp_path / "audit.log"
    log.write_text(
        "\n".join(
            [
                logged(operator, "list", **jobs),
                logged(operator, "patch", **jobs, subresource="status", namespace="t", name="j"),
                logged(operator, "get", 404, resource="services", namespace="coxswain-system"),
                logged(operator, "delete", 403, resource="secrets", namespace="t"),
                logged(narrow, "watch", **jobs, namespace="t"),
                logged(f"{audit.PREFIX}operator", "create", **jobs, namespace="t"),
                logged("admin", "delete", resource="secrets", namespace="t"),
            ]
        )
    )
    seen = tmp_path / "seen"
    seen.mkdir()
    monkeypatch.delenv(audit.KEPT_IN, raising=False)
    audit.keep(log)
    assert rights.seen(seen) == set()
    monkeypatch.setenv(audit.KEPT_IN, str(seen))
    audit.keep(log)
    assert rights.seen(seen) == {
        Use("operator", "list", "jobs.coxswain.dev", ANY),
        Use("operator", "patch", "jobs.coxswain.dev/status", WORKSPACE),
        Use("operator", "get", "services", HOME),
        Use("operator", "watch", "jobs.coxswain.dev", WORKSPACE),
    }


def test_every_exception_has_a_reason_and_a_test_that_is_there() -> None:
    found = rights.exceptions()
    assert found
    assert [each for each in found if not each.reason] == []
    assert [each.shown for each in found if each.shown and not ledger.exists(each.shown)] == []
