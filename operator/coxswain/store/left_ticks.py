"""What a Schedule that is gone leaves: its ticks get their outcome, and its requests are handled.

A minute after its end at the earliest: until then a pass may be at it, and the Jobs that it made may
not be in the mirror. What writes here is called through ``leadership.fenced``.
"""

from dataclasses import replace

from coxswain.api.job import TERMINAL
from coxswain.rules.overlap import Reason
from coxswain.store import events, ticks
from coxswain.store.pool import Connection
from coxswain.telemetry import metrics

AT_ONCE = 500
GONE = "Gone"
"""How a Job ended whose end nobody saw."""


async def settle(connection: Connection) -> int:
    """Settle open ticks of Schedules that are gone, so many at a time; how many.

    Fired where the mirror knows the Job, else Missed. The same again is harmless.
    """
    # The partial index of open ticks is what is gone through.
    rows = await connection.fetch(
        "SELECT ticks.*, gone.workspace, gone.name AS schedule_name, job.uid AS made, now() AS now"
        " FROM ticks JOIN mirror AS gone ON gone.uid = ticks.schedule_uid"
        " LEFT JOIN LATERAL (SELECT uid FROM mirror WHERE kind = 'Job'"
        " AND workspace = gone.workspace AND name = ticks.job_name"
        " AND object #> '{metadata,ownerReferences}' @> jsonb_build_array("
        "jsonb_build_object('controller', true, 'uid', ticks.schedule_uid::text))"
        " LIMIT 1) AS job ON true"
        " WHERE ticks.outcome IS NULL AND gone.deleted_at < now() - interval '1 minute'"
        " ORDER BY ticks.schedule_uid, ticks.id LIMIT $1",
        AT_ONCE,
    )
    found = []
    for row in rows:
        tick, now = ticks.stored(row), row["now"]
        if row["made"] is not None:
            tick = replace(tick, job_uid=str(row["made"])).settled("Fired", "", now)
        else:
            tick = replace(tick, job_name=None).settled("Missed", Reason.DELETED, now)
        found.append((str(row["schedule_uid"]), row["workspace"], row["schedule_name"], tick))
    if found:
        await ticks.keep_ticks(connection, [(uid, tick) for uid, _, _, tick in found])
        await events.append(connection, [ticks.event_of(*each) for each in found])
    for _, _, _, tick in found:
        metrics.TICKS.labels(tick.outcome, tick.reason).inc(tick.count)
    return len(found)


async def close(connection: Connection) -> None:
    """Note how the Jobs of such ticks ended, and that nobody has to carry out what was asked."""
    # A Job that people have orphaned may still run; one that was never mirrored does not.
    await connection.execute(
        "UPDATE ticks SET job_phase = coalesce((SELECT job.phase FROM mirror AS job"
        " WHERE job.uid = ticks.job_uid AND job.phase = ANY ($1::text[])), $2)"
        " FROM mirror AS gone WHERE gone.uid = ticks.schedule_uid"
        " AND gone.deleted_at < now() - interval '1 minute'"
        " AND ticks.outcome = 'Fired' AND ticks.job_phase IS NULL"
        " AND NOT EXISTS (SELECT FROM mirror AS job WHERE job.uid = ticks.job_uid"
        " AND job.deleted_at IS NULL AND job.phase <> ALL ($1::text[]))",
        [str(phase) for phase in TERMINAL],
        GONE,
    )
    await connection.execute(
        "UPDATE schedule_requests SET handled_at = now() FROM mirror AS gone"
        " WHERE gone.uid = schedule_requests.schedule_uid AND handled_at IS NULL"
        " AND gone.deleted_at < now() - interval '1 minute'"
    )
