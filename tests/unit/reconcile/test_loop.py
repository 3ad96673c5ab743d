"""One pass that fails: it is counted, tried again, shown, and holds nobody else up."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, find
from coxswain.api.kind import Job, Metadata
from coxswain.errors import (
    ConflictError,
    CoxswainError,
    FencedError,
    ForbiddenError,
    NotFoundError,
    TransientError,
    UnavailableError,
    UserError,
)
from coxswain.reconcile import actions, key
from coxswain.reconcile.act import StaleError
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import Hands, Loop
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.tick_act import JobRefusedError
from coxswain.reconcile.workqueue import LONGEST_DELAY_SECONDS, WorkQueue
from coxswain.telemetry import metrics
from coxswain_controllers.job.room import JobRoom
from tests.support import builders

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
BAD, GOOD = builders.job("bad"), builders.job("good")
KEY, OTHER = key.of("Job", BAD.raw), key.of("Job", GOOD.raw)
DOES = Decision(actions=(actions.AskToEnd("uid", 1),))
STAGES = ["observe", "decide", "act"]
ERRORS = {
    "transient": (TransientError("later"), "transient"),
    "unavailable": (UnavailableError("no answer"), "unavailable"),
    "forbidden": (ForbiddenError("may not"), "forbidden"),
    "quota": (ForbiddenError("full", code="quota_exceeded"), "quota_exceeded"),
    "user": (UserError("wrong"), "invalid"),
    "bug": (RuntimeError("oops"), "internal"),
    "bug with a key": (KeyError("status"), "internal"),
}


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[EventDict]]:
    """What is logged; nothing is written out, for a drawn traceback takes a second."""
    with capture_logs() as found:
        yield found


@dataclass
class Rig:
    """A loop over two Jobs; ``faults`` says at which stage the first one fails, and how."""

    faults: dict[str, Exception] = field(default_factory=dict)
    time: float = 0.0
    now: datetime = NOW
    acting: timedelta = timedelta()
    """How long an action takes."""
    decision: Decision = DOES
    seen: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    patches: list[dict[str, Any]] = field(default_factory=list)
    good_was_done: asyncio.Event = field(default_factory=asyncio.Event)
    reach: Reach = field(default_factory=Reach)
    unseen: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = Cache()
        for each in (BAD, GOOD):
            self.cache.put("Job", each.raw)
        self.queue = WorkQueue(lambda: self.time, Random(1))  # noqa: S311 - jitter
        hands = Hands(
            client=cast("Any", self),
            cache=self.cache,
            journal=cast("Any", SimpleNamespace(publish=lambda *_: None)),
            actor=cast("Any", self),
            events=cast("Any", SimpleNamespace(post=lambda *_: None)),
        )
        rooms = {"Job": Room(self)}
        self.loop = Loop(
            rooms,
            self.queue,
            hands,
            lambda: self.now,
            self._is_gone,
            reach=self.reach,
            on_unseen=self.unseen.append,
        )

    def fails(self, stage: str) -> None:
        """Raise what was said for this stage."""
        self.seen.append(stage)
        if stage in self.faults:
            raise self.faults[stage]

    async def carry_out(self, _action: actions.Action) -> None:
        """Act, as the actor does."""
        self.now += self.acting
        self.fails("act")

    async def get(self, _path: str) -> Raw:
        """Read live, as the client does."""
        self.fails("get")
        return BAD.with_metadata(resourceVersion="9").raw

    async def patch(self, _path: str, body: dict[str, Any]) -> Raw:
        """Write a status, as the client does."""
        self.fails("patch")
        self.patches.append(body)
        version = str(int(body["metadata"]["resourceVersion"]) + 1)
        return BAD.with_metadata(resourceVersion=version).with_status(**body["status"]).raw

    def _is_gone(self, kind: str, _raw: Raw) -> None:
        self.gone.append(kind)

    @property
    def stored(self) -> Job:
        """The first Job as memory holds it."""
        raw = self.cache.get("Job", KEY.uid)
        assert raw is not None
        return Job.parse(raw)


class Room:
    """A room whose first Job fails where the rig says; a failure is shown as the real one does."""

    kind = "Job"
    plural = "jobs"

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._real = JobRoom(cast("Any", SimpleNamespace()))

    def listed(self, items: Iterable[Raw]) -> None:
        """Nothing is kept."""

    async def observe(self, key: Key) -> Any:
        if key == OTHER:
            self._rig.good_was_done.set()
            return SimpleNamespace(metadata=Metadata.parse(GOOD.raw), key=key)
        self._rig.fails("observe")
        return SimpleNamespace(metadata=Metadata.parse(BAD.raw), key=key)

    def decide(self, snapshot: Any, _now: datetime) -> Decision:
        if snapshot.key == OTHER:
            return Decision()
        self._rig.fails("decide")
        return self._rig.decision

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        return self._real.failed(raw, error, now)

    def written(self, before: Raw, raw: Raw) -> None:
        """Nobody else is concerned."""

    def events(self, _raw: Raw, *, is_gone: bool = False) -> Sequence[Any]:
        return ()


def _counted(code: str) -> float:
    labels = {"kind": "Job", "code": code}
    return metrics.REGISTRY.get_sample_value("coxswain_reconcile_errors_total", labels) or 0.0


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("error", "code"), ERRORS.values(), ids=ERRORS)
async def test_a_pass_that_fails_is_counted_by_its_code(
    stage: str, error: Exception, code: str
) -> None:
    before = _counted(code)
    await Rig({stage: error}).loop.make_pass(KEY)
    assert _counted(code) == before + 1


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [each[0] for each in ERRORS.values()], ids=ERRORS)
async def test_a_pass_that_fails_is_tried_again_after_its_back_off(
    stage: str, error: Exception
) -> None:
    rig = Rig({stage: error})
    await rig.loop.make_pass(KEY)
    assert (rig.queue.failures(KEY), len(rig.queue)) == (1, 0)
    rig.time += LONGEST_DELAY_SECONDS
    assert await asyncio.wait_for(rig.queue.take(), 1) == KEY


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [each[0] for each in ERRORS.values()], ids=ERRORS)
async def test_the_second_failure_in_a_row_is_shown_and_the_first_is_not(
    stage: str, error: Exception
) -> None:
    rig = Rig({stage: error})
    await rig.loop.make_pass(KEY)
    assert rig.patches == []
    await rig.loop.make_pass(KEY)
    shown = find(rig.stored.status.conditions, ConditionType.RECONCILING)
    assert shown is not None
    assert (shown.status, shown.reason) == ("True", RETRYING_AFTER_ERROR)
    assert str(error.args[0]) in shown.message
    assert len(rig.patches) == 1


async def test_a_bug_is_logged_with_its_traceback_and_an_outage_without(
    lines: list[EventDict],
) -> None:
    await Rig({"decide": TransientError("later")}).loop.make_pass(KEY)
    assert [each["event"] for each in lines] == ["pass will be repeated"]
    await Rig({"decide": RuntimeError("oops")}).loop.make_pass(KEY)
    assert (lines[1]["event"], lines[1]["exc_info"]) == ("pass failed", True)


async def test_the_line_of_a_failure_names_the_object_the_error_and_the_next_try() -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        await Rig({"act": ForbiddenError("may not")}).loop.make_pass(KEY)
    (line,) = lines
    named = ("kind", "workspace", "name", "code", "error")
    wanted = [KEY.kind, KEY.namespace, KEY.name, "forbidden", "may not"]
    assert [line[each] for each in named] == wanted
    assert line["seconds"] > 0


async def test_a_failure_that_goes_on_is_written_once() -> None:
    rig = Rig({"act": ForbiddenError("may not")})
    for _ in range(5):
        await rig.loop.make_pass(KEY)
    assert len(rig.patches) == 1


async def test_a_good_pass_forgets_the_failures() -> None:
    rig = Rig({"act": TransientError("later")})
    await rig.loop.make_pass(KEY)
    rig.faults.clear()
    await rig.loop.make_pass(KEY)
    assert rig.queue.failures(KEY) == 0
    rig.faults["act"] = TransientError("later")
    await rig.loop.make_pass(KEY)
    assert rig.patches == []


async def test_the_other_side_says_how_long_to_wait() -> None:
    rig = Rig({"observe": TransientError("later", retry_after_seconds=30)})
    await rig.loop.make_pass(KEY)
    taking = asyncio.create_task(rig.queue.take())
    rig.time = 29
    await asyncio.sleep(0)
    assert not taking.done()
    taking.cancel()
    rig.time = 30
    assert await asyncio.wait_for(rig.queue.take(), 1) == KEY


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [each[0] for each in ERRORS.values()], ids=ERRORS)
async def test_the_one_worker_goes_on_with_the_keys_of_others(stage: str, error: Exception) -> None:
    rig = Rig({stage: error})
    rig.queue.add(KEY)
    rig.queue.add(OTHER)
    work = asyncio.create_task(rig.loop.work(1))
    await asyncio.wait_for(rig.good_was_done.wait(), 1)
    assert rig.seen[0] == "observe"
    assert not work.done()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize("stage", STAGES)
async def test_the_loss_of_the_right_to_act_ends_the_workers(stage: str) -> None:
    rig = Rig({stage: FencedError("another one leads")})
    before = _counted("fenced")
    rig.queue.add(KEY)
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(rig.loop.work(2), 1)
    assert ended.group_contains(FencedError)
    assert (rig.patches, rig.queue.failures(KEY), _counted("fenced")) == ([], 0, before)


async def test_a_decision_that_came_too_late_is_made_again_and_is_no_failure() -> None:
    rig = Rig({"act": StaleError("the world moved on")})
    before = _counted("stale")
    for _ in range(3):
        await rig.loop.make_pass(KEY)
    assert (rig.patches, _counted("stale")) == ([], before)
    assert rig.queue.failures(KEY) == 3


async def test_a_refused_stale_write_has_the_live_form_read_before_the_next_pass() -> None:
    rig = Rig({"act": ConflictError("it changed")})
    await rig.loop.make_pass(KEY)
    assert rig.seen[-1] == "get"
    assert rig.stored.metadata.resource_version == "9"


async def test_an_object_that_is_gone_is_told_to_be_so() -> None:
    rig = Rig({"act": NotFoundError("no such object"), "get": NotFoundError("no such object")})
    await rig.loop.make_pass(KEY)
    assert rig.gone == ["Job"]


async def test_a_failure_that_cannot_be_shown_is_tried_again_all_the_same() -> None:
    rig = Rig({"act": UserError("wrong"), "patch": UnavailableError("no answer")})
    for _ in range(3):
        await rig.loop.make_pass(KEY)
    assert rig.queue.failures(KEY) == 3


@pytest.mark.parametrize("is_settled", [True, False])
async def test_a_refused_job_stops_nothing_that_was_decided_beside_it(*, is_settled: bool) -> None:
    decision = Decision(DOES.actions * 3, {"phase": "Running"})
    refused = JobRefusedError("not to our liking", is_settled=is_settled)
    rig = Rig({"act": refused}, decision=decision)
    await rig.loop.make_pass(KEY)
    assert rig.seen.count("act") == 3
    assert [each["status"] for each in rig.patches] == [{"phase": "Running"}]
    assert rig.queue.failures(KEY) == (0 if is_settled else 1)
    rig.time = time.monotonic() + LONGEST_DELAY_SECONDS
    assert await asyncio.wait_for(rig.queue.take(), 1) == KEY


async def test_what_is_refused_for_now_does_not_put_off_what_comes_sooner() -> None:
    decision = Decision(DOES.actions, wake_at=NOW)
    rig = Rig({"act": JobRefusedError("full", is_settled=False)}, decision=decision)
    for _ in range(12):
        await rig.loop.make_pass(KEY)
    rig.time = time.monotonic()
    assert await asyncio.wait_for(rig.queue.take(), 1) == KEY


async def test_a_pass_that_took_long_makes_the_next_one_no_later() -> None:
    decision = Decision(DOES.actions, wake_at=NOW + timedelta(seconds=60))
    rig = Rig(acting=timedelta(seconds=50), decision=decision)
    began = time.monotonic()
    await rig.loop.make_pass(KEY)
    taking = asyncio.create_task(rig.queue.take())
    rig.time = began + 9
    await asyncio.sleep(0)
    assert not taking.done()
    taking.cancel()
    rig.time = began + 20
    assert await asyncio.wait_for(rig.queue.take(), 1) == KEY


async def test_no_pass_is_made_over_what_is_in_a_lost_workspace() -> None:
    rig = Rig({}, reach=Reach([KEY.namespace], ("Job", "Pod")))
    rig.reach.listed(KEY.namespace, "Job")
    rig.queue.add(KEY)
    work = asyncio.create_task(rig.loop.work(1))
    while len(rig.queue) or rig.queue.working:  # noqa: ASYNC110 - the worker takes it
        await asyncio.sleep(0)
    assert rig.seen == []
    assert rig.unseen == [KEY]
    rig.reach.listed(KEY.namespace, "Pod")
    rig.queue.add(KEY)
    while not rig.seen:  # noqa: ASYNC110 - the same
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize(("error", "doubts"), [(ForbiddenError("no"), 1), (UserError("bad"), 0)])
async def test_a_pass_that_is_forbidden_puts_its_workspace_in_doubt(
    error: CoxswainError, doubts: int
) -> None:
    rig, found = Rig({"observe": error}), []
    rig.reach.on_doubt(KEY.namespace, lambda: found.append(1))
    await rig.loop.make_pass(KEY)
    assert len(found) == doubts
