"""What a run of chaos came to, as people and programs read it."""

import json

from tests.faults.chaos.recording import Noted
from tests.faults.chaos.verdict import Done, Verdict, concerned
from tests.faults.history import Breach
from tests.support.histories import changes, gone_through, pod

ACTS = (
    Done(2.0, "kill the kubelet", "kubelet (3.0 s)", answered_after=4.0),
    Done(9.0, "kill an agent", idle="no attempt runs"),
    Done(12.0, "kill Postgres", "coxswain-postgres-0", answered_after=20.0),
)
NOTED = tuple(
    Noted(float(at), change)
    for at, change in enumerate(
        changes([gone_through("Queued"), pod(1), pod(2), gone_through("Queued", "Running")])
    )
)


def test_what_held_is_a_line_and_the_acts() -> None:
    verdict = Verdict(7, ACTS, {"tokens grow": []}, NOTED, {"Jobs": 3})
    assert verdict.story().splitlines() == [
        "ok    seed 7: 2 acts, 3 Jobs; all answered 12.0 s after an act (median), 20.0 s (longest)",
        "",
        "    2.00  ** kill the kubelet: kubelet (3.0 s); all answered 4.0 s later",
        "    9.00  ** kill an agent: nobody was hit (no attempt runs)",
        "   12.00  ** kill Postgres: coxswain-postgres-0; all answered 20.0 s later",
    ]


def test_what_did_not_hold_comes_first_and_then_the_revisions_of_what_it_is_about() -> None:
    broken = {"tokens grow": [], "no job is lost": [Breach(2, "Job j, is Running")]}
    lines = Verdict(7, ACTS[:1], broken, NOTED).story().splitlines()
    assert lines[0].startswith("fail  seed 7: 1 acts")
    assert lines[0].endswith("; no job is lost")
    assert lines[1:3] == ["  no job is lost:", "    at revision 2: Job j, is Running"]
    assert lines[4:] == [
        "    0.00  r1 Job j is made",
        "    1.00  r2 Pod j-1 is made",
        "    2.00  ** kill the kubelet: kubelet (3.0 s); all answered 4.0 s later",
        "    3.00  r4 Job j: phase Running",
    ]


def test_an_act_without_an_answer_says_so() -> None:
    assert str(Done(1.0, "kill Postgres", "p")) == "kill Postgres: p; no answer in time"


def test_a_breach_concerns_what_changed_at_its_revision_or_is_named_in_it() -> None:
    names = {each.change.uid: each.change.name for each in NOTED}
    assert {names[uid] for uid in concerned(NOTED, [Breach(3, "x")])} == {"j-2"}
    assert {names[uid] for uid in concerned(NOTED, [Breach(0, "of j-1, j")])} == {"j-1", "j"}
    assert concerned(NOTED, [Breach(0, "nothing")]) == set()


def test_programs_read_every_check_that_was_made() -> None:
    broken = {"tokens grow": [], "no orphans": [Breach(3, "x")]}
    wire = json.loads(json.dumps(Verdict(7, ACTS, broken).wire()))
    assert wire["judged"] == {"tokens grow": [], "no orphans": [{"revision": 3, "what": "x"}]}
    assert [each["name"] for each in wire["acts"]] == [each.name for each in ACTS]
