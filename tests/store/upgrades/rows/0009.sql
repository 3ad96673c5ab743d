-- A Schedule with ticks of every outcome, one that is open, and what people asked of it.
INSERT INTO mirror (uid, kind, workspace, name, generation, resource_version, phase, object, created_at)
VALUES ('99999999-9999-4999-8999-999999999999', 'Schedule', 'team', 'nightly', 1, '40', 'Active',
    '{"metadata": {"name": "nightly"}, "spec": {"cron": "0 2 * * *"}}', '2026-01-09 09:00Z');
INSERT INTO schedules (schedule_uid, workspace, name, trigger, through, held, paused, position, cooled_at, fired, counted,
    missed, skipped, buffered, overrun)
VALUES ('99999999-9999-4999-8999-999999999999', 'team', 'nightly', 'cron 0 2 * * *', '2026-01-10 02:00Z', '', false, 3,
    '2026-01-10 01:00Z', 1, 1, 2, 1, 1, 1);
INSERT INTO ticks (schedule_uid, id, source, at, due_at, through, count, overlap, cause, outcome, reason, job_name, job_uid,
    job_phase, reply, settled_at)
SELECT '99999999-9999-4999-8999-999999999999', given.* FROM (VALUES
    ('t1', 'Time', '2026-01-08 02:00Z'::timestamptz, '2026-01-08 02:00:07Z'::timestamptz, '2026-01-08 02:00Z'::timestamptz, 1,
        NULL, '{}'::jsonb, 'Fired', '', 'nightly-1', '11111111-1111-4111-8111-111111111111'::uuid, 'Succeeded', 'Kept',
        '2026-01-08 02:00:08Z'::timestamptz),
    ('t2', 'Time', '2026-01-09 02:00Z', '2026-01-09 02:00Z', '2026-01-09 14:00Z', 2, NULL, '{}', 'Missed', 'CatchUpWindow',
        NULL, NULL, NULL, NULL, '2026-01-09 15:00Z'),
    ('t3', 'Event', '2026-01-09 16:00Z', '2026-01-09 16:00Z', '2026-01-09 16:00Z', 1, NULL,
        '{"event": {"position": 3}}', 'Skipped', 'Overlap', NULL, NULL, NULL, NULL, '2026-01-09 16:00:01Z'),
    ('t4', 'Backfill', '2026-01-07 02:00Z', '2026-01-10 12:00Z', '2026-01-07 02:00Z', 1, 'Allow', '{"by": "user:ada"}', NULL,
        '', NULL, NULL, NULL, NULL, NULL)
) AS given;
INSERT INTO schedule_requests (id, schedule_uid, kind, since, until, overlap, by, why, at, handled_at) VALUES
    ('99999999-9999-4999-8999-000000000001', '99999999-9999-4999-8999-999999999999', 'Backfill', '2026-01-06 00:00Z', '2026-01-08 00:00Z',
        'Allow', 'user:ada', 'we lost a week', '2026-01-10 12:00Z', '2026-01-10 12:00:01Z'),
    ('99999999-9999-4999-8999-000000000002', '99999999-9999-4999-8999-999999999999', 'Trigger', NULL, NULL, NULL, 'user:bob',
        '', '2026-01-10 12:10Z', NULL);
