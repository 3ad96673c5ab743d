"""A pass during which the world has moved on: nothing is destroyed or written on what was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coxswain.api.kind import Metadata
from coxswain.errors import NotFoundError
from coxswain.reconcile import actions
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.decision import NOTHING, Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import Hands, Loop
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.workqueue import WorkQueue
from tests.support import worlds

KEY = Key("Job", "team", "read", "Job-read")
JOB = worlds.job("read")
POD = worlds.pod("read-1", "read")


@dataclass
class Moved:
    """A loop over one Job; ``live`` is what the API server has under its name."""

    live: Raw | None = None
    known: Raw | None = None
    comes: Raw | None = None
    """A newer form, which comes while the pass acts."""
    decision: Decision = NOTHING
    done: list[actions.Action] = field(default_factory=list)
    patches: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = Cache()
        self.cache.put("Pod", POD)
        if self.known is not None:
            self.cache.put("Job", self.known)
        self.queue = WorkQueue(lambda: 0.0, Random(1))  # noqa: S311 - jitter
        hands = Hands(
            client=cast("Any", self),
            cache=self.cache,
            journal=cast("Any", SimpleNamespace(publish=lambda *_: None)),
            actor=cast("Any", self),
            events=cast("Any", SimpleNamespace(post=lambda *_: None)),
        )
        room = SimpleNamespace(
            kind="Job",
            plural="jobs",
            observe=self.observe,
            decide=lambda *_: self.decision,
            written=lambda *_: None,
            events=lambda *_: (),
        )
        self.loop = Loop(
            {"Job": cast("Any", room)},
            self.queue,
            hands,
            lambda: datetime(2026, 11, 30, tzinfo=UTC),
            lambda *_: None,
            reach=Reach(),
            on_unseen=self.queue.add,
        )

    async def observe(self, key: Key) -> Any:
        raw = self.cache.get("Job", key.uid)
        return None if raw is None else SimpleNamespace(metadata=Metadata.parse(raw), key=key)

    async def carry_out(self, action: actions.Action) -> None:
        self.done.append(action)
        if self.comes is not None:
            self.cache.put("Job", self.comes)

    async def get(self, path: str) -> Raw:
        if self.live is None:
            raise NotFoundError(f"GET {path}")
        return self.live

    async def patch(self, _path: str, body: Mapping[str, Any]) -> Raw:
        self.patches.append(body)
        return worlds.job("read", version=9)


async def test_the_pods_of_a_job_that_lives_are_left_alone_though_memory_does_not_know_it() -> None:
    moved = Moved(live=JOB)
    await moved.loop.make_pass(KEY)
    assert moved.done == []
    assert moved.cache.get("Job", KEY.uid) is not None
    assert await moved.queue.take() == KEY


@pytest.mark.parametrize(
    "live",
    [None, {**JOB, "metadata": {**JOB["metadata"], "uid": "another"}}],
    ids=["nobody", "a namesake"],
)
async def test_the_pods_of_a_job_that_is_gone_are_ended_whoever_has_its_name(
    live: Raw | None,
) -> None:
    moved = Moved(live=live)
    await moved.loop.make_pass(KEY)
    assert moved.done == [actions.DeletePod("team", "read-1", POD["metadata"]["uid"])]


@pytest.mark.parametrize("comes", [None, worlds.job("read", version=2)], ids=["nothing", "newer"])
async def test_a_status_that_was_decided_on_an_older_form_is_not_written(comes: Raw | None) -> None:
    does = Decision(actions=(actions.AskToEnd(KEY.uid, 1),), status={"phase": "Queued"})
    moved = Moved(known=JOB, comes=comes, decision=does)
    await moved.loop.make_pass(KEY)
    assert len(moved.patches) == (1 if comes is None else 0)
    assert len(moved.queue) == (0 if comes is None else 1)
