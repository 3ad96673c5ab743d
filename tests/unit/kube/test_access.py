"""Our own rights, as an API server in memory answers for them."""

from typing import Any

import pytest
from typing_extensions import override

from coxswain.errors import ForbiddenError
from coxswain.kube import access, paths
from coxswain.kube.access import Right

Body = dict[str, Any]
WATCH = Right("watch", "jobs", "coxswain.dev")
RENEW = Right("update", "leases", "coordination.k8s.io", namespace="home", name="lease")


class Server:
    """Allows some verbs."""

    def __init__(self, *verbs: str) -> None:
        self.verbs = verbs
        self.asked: list[Body] = []

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        assert path == paths.SELF_REVIEWS
        asked = body["spec"]["resourceAttributes"]
        self.asked.append(asked)
        return {"status": {"allowed": asked["verb"] in self.verbs}}


async def test_each_right_is_asked_for_as_it_is() -> None:
    server = Server("watch", "update")
    await access.require(server, [WATCH, RENEW])
    assert server.asked[1] == {
        "verb": "update",
        "resource": "leases",
        "group": "coordination.k8s.io",
        "namespace": "home",
        "name": "lease",
    }


async def test_those_that_lack_are_named_and_no_other() -> None:
    with pytest.raises(ForbiddenError) as refused:
        await access.require(Server("watch"), [WATCH, RENEW])
    assert refused.value.message == "our account may not update leases.coordination.k8s.io in home"


async def test_an_answer_without_a_verdict_is_a_no() -> None:
    class Empty(Server):
        @override
        async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
            return {}

    with pytest.raises(ForbiddenError):
        await access.require(Empty(), [WATCH])
