"""Random lives of a Job: whatever happens, only the edges of the table, and one live pod at most."""

import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coxswain import names
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.reconcile import actions, instants
from coxswain.rules import lifecycle
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen
from tests.support import builders, snapshots
from tests.support.snapshots import BADLY, NO_RECORDS, NOW, PLATFORM, WELL, posted

RECORDS = snapshots.waiting().records
ENDS = {
    "ends well": WELL,
    "ends badly": BADLY,
    "is drained": PodEnd(succeeded=False, disrupted=True),
    "is late": PodEnd(succeeded=False, pod_reason="DeadlineExceeded"),
}
WORDS = ("retry", "succeed", "fail", "cancel")
OF_THE_ROW = ("claims", "begins an act", "ends its act", "answers")
OF_THE_WORLD = (
    *("records go", "records come", "suspend", "resume", "is cancelled", "is silent"),
    *("time passes", "much time passes"),
)
HAPPENINGS = (*("runs", "vanishes", "stops"), *ENDS, *OF_THE_ROW, *OF_THE_WORLD, *WORDS)


@dataclass
class Life:
    """A Job, its pods and its row, as a small world that follows each decision."""

    seen: JobSnapshot
    now: datetime = NOW
    made: list[int] = field(default_factory=list)
    by_person: int = 0

    def happens(self, what: str) -> None:
        """One thing happens; then passes are made until nothing changes."""
        self.now += timedelta(seconds=1)
        if what in WORDS:
            self._says(what)
        elif what in OF_THE_ROW:
            self._row_becomes(what)
        elif what in OF_THE_WORLD:
            self._world_becomes(what)
        else:
            self._pod_becomes(what)
        for _ in range(8):
            if not self._passes():
                return

    def _pod_becomes(self, what: str) -> None:
        pod = self.seen.pod
        if what == "vanishes" or (what == "stops" and pod is not None and pod.is_deleting):
            pod = None
        elif what == "runs" and pod is not None and pod.running_since is None:
            pod = replace(pod, running_since=self.now)
        elif what in ENDS and pod is not None and pod.running_since is not None:
            pod = replace(pod, end=ENDS[what], ended_at=self.now)
        self._pod(pod)
        if what == "stops":
            self.seen = replace(self.seen, former=())

    def _row_becomes(self, what: str) -> None:
        pod, run = self.seen.pod, self.seen.run
        if run is None or run.closed_reason is not None:
            return
        if what == "claims" and pod is not None and pod.running_since is not None:
            self._run(replace(run, claimed=True, heard_at=self.now))
        elif what == "begins an act" and run.claimed:
            self._run(replace(run, acts_open=("send mail",)))
        elif what == "ends its act":
            self._run(replace(run, acts_open=()))
        elif what == "answers" and run.claimed:
            self._run(replace(posted("succeeded"), acts_open=run.acts_open))

    def _world_becomes(self, what: str) -> None:
        if what in ("records go", "records come"):
            away = what == "records go"
            self.seen = replace(self.seen, records=NO_RECORDS if away else RECORDS)
        elif what in ("suspend", "resume", "is cancelled"):
            change = {"cancel": True} if what == "is cancelled" else {"suspend": what == "suspend"}
            spec = self.seen.valid_spec.model_copy(update=change)
            self.seen = replace(self.seen, spec=spec)
        elif what == "is silent":
            if self.seen.pod is not None:
                self._pod(replace(self.seen.pod, is_cut_off=True))
        else:
            self.now += timedelta(hours=3 if what.startswith("much") else 0, minutes=1)

    def _says(self, word: str) -> None:
        said = {"attempt": max(1, self.seen.status.attempt), "decision": word, "by": "ada"}
        annotations = {names.ANNOTATION_REVIEW: json.dumps(said)}
        metadata = self.seen.metadata.model_copy(update={"annotations": annotations})
        self.seen = replace(self.seen, metadata=metadata)

    def _passes(self) -> bool:
        # Without records no row is read, as in observe.
        looks = replace(self.seen, run=None) if self.seen.records is NO_RECORDS else self.seen
        decision = decide(looks, PLATFORM, self.now)
        for each in decision.actions:
            self._does(each)
        number = self.seen.number
        after = snapshots.follow(self.seen, decision)
        if after.status.phase is JobPhase.QUEUED and self.seen.status.phase is JobPhase.REVIEW:
            self.by_person += 1
        if after.number != number or after.status.phase in TERMINAL:
            left = (after.pod,) if after.pod is not None and after.pod.end is None else ()
            after = replace(after, pod=None, run=None, former=(*after.former, *left))
        changed = after != self.seen or bool(decision.actions)
        self.seen = after
        return changed

    def _does(self, action: actions.Action) -> None:
        pod, run = self.seen.pod, self.seen.run
        if isinstance(action, actions.OpenRun):
            self._run(run or RunFacts())
            self.seen = replace(self.seen, token=self.seen.number)
        elif isinstance(action, actions.CreatePod):
            assert not [each for each in self.seen.former if each.end is None]
            self.made.append(self.seen.number)
            self._pod(snapshots.pod(self.seen, created_at=self.now))
        elif isinstance(action, actions.CloseRun) and run is not None:
            self._run(replace(run, closed_reason=run.closed_reason or action.reason))
        elif isinstance(action, actions.DeletePod):
            if pod is not None and pod.uid == action.uid:
                self._pod(replace(pod, is_deleting=True))
            former = tuple(
                replace(each, is_deleting=True) if each.uid == action.uid else each
                for each in self.seen.former
            )
            self.seen = replace(self.seen, former=former)

    def _pod(self, pod: PodSeen | None) -> None:
        self.seen = replace(self.seen, pod=pod)

    def _run(self, run: RunFacts) -> None:
        self.seen = replace(self.seen, run=run)


@given(
    st.lists(st.sampled_from(HAPPENINGS), max_size=25),
    st.integers(1, 3),
    st.fixed_dictionaries(
        {"required": st.booleans(), "onUnknown": st.sampled_from(["Ask", "Retry", "Fail"])}
    ),
)
def test_whatever_happens_a_job_lives_by_the_table(
    happenings: list[str], most: int, review: dict[str, Any]
) -> None:
    job = builders.job().with_attempts(most).with_spec(review=review)
    life = Life(snapshots.waiting(job))
    for each in ("time passes", *happenings):
        life.happens(each)
    status = life.seen.status
    phases = [None, *(edge.phase for edge in status.transitions)]
    for before, after in itertools.pairwise(phases):
        assert after in lifecycle.EDGES[before]
    assert status.phase is phases[-1]
    times = [instants.read(edge.at) for edge in status.transitions]
    assert times == sorted(times, key=str)
    assert [entry.number for entry in status.attempts] == list(range(1, len(status.attempts) + 1))
    assert status.attempts_used <= most + life.by_person
    if status.phase is JobPhase.REVIEW:
        assert life.seen.open_attempt is None
