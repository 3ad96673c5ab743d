"""Every route of the API that may change something is in the audit log, and how is said here."""

from coxswain import sidecar
from coxswain.rules.permissions import TABLE
from coxswain.web import routes
from coxswain.web.auditing import Kept
from tests.architecture.test_routes import holders

WITH = {
    "approve_call",
    "approve_job",
    "backfill_schedule",
    "change_flags",
    "claim_run",
    "deny_call",
    "deny_job",
    "post_result",
    "reclaim_lease",
    "record_act",
    "redrive_delivery",
    "trigger_schedule",
}
"""Their handlers change Postgres alone, in their first transaction."""
ELSEWHERE = {
    # The events have rows of their own where they are somebody's acts.
    "append_run_events": "run.tool_call, run.tool_result",
    "ask_about_call": "run.approval.asked",
    "acquire_lease": "lease.acquired, lease.reclaimed",
    "release_lease": "lease.released",
    "acquire_run_lease": "lease.acquired, lease.reclaimed",
    "release_run_lease": "lease.released",
    # An event of a person is a record itself, with who wrote it, and changes nothing else.
    "append_events": "the event",
    # They keep alive what is there.
    "heartbeat": "",
    "renew_lease": "",
    "renew_leases": "",
    "renew_run_lease": "",
}


def changing() -> dict[str, Kept]:
    found = [
        route
        for each in holders(sidecar.__name__, list(sidecar.__path__))
        for route in routes.of(each, TABLE)
    ]
    return {route.handler.__name__: route.options.kept for route in found if route.may_change}


def test_every_route_that_changes_something_has_its_rows() -> None:
    found = changing()
    assert {name for name, kept in found.items() if kept is Kept.WITH} == WITH
    assert {name for name, kept in found.items() if kept is Kept.ELSEWHERE} == set(ELSEWHERE)
    around = {name for name, kept in found.items() if kept is Kept.AROUND}
    assert around >= {"create_job", "cancel_job", "review_job", "create_lease", "put_artifact"}


def test_a_route_that_says_nothing_is_recorded_around() -> None:
    assert routes.Options().kept is Kept.AROUND
