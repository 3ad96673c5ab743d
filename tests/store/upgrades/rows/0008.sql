-- A lease that a run holds, with somebody in its line; one that is declared; one in quarantine of an object that is gone.
UPDATE runs SET leases = '{"deploy": 41}' WHERE job_uid = '22222222-2222-4222-8222-222222222222';
INSERT INTO leases (workspace, name, uid, removed_at, resource, ttl_seconds, steal_after_seconds, quarantine_seconds,
    declared, line, floor, token, state, reason, holder, job_uid, job_name, attempt, with_run, former_holder, acquired_at,
    renewed_at, expires_at, changed_at) VALUES
    ('team', 'deploy', '88888888-8888-4888-8888-888888888881', NULL, 'git:deploy', 60, 300, 120, NULL, lease_line(), 40, 41,
        'Held', '', 'job:second/1', '22222222-2222-4222-8222-222222222222', 'second', 1, true, 'job:first/2',
        '2026-01-10 12:00:25Z', '2026-01-10 12:00:26Z', '2099-01-01 00:00Z', '2026-01-10 12:00:25Z'),
    ('team', 'release', '88888888-8888-4888-8888-888888888882', NULL, 'git:release', 60, NULL, NULL, 'ops', lease_line(), 0,
        3, 'Held', '', 'declared:ops', NULL, NULL, NULL, false, NULL, '2026-01-10 12:00Z', NULL, NULL, '2026-01-10 12:00Z'),
    ('team', 'gone', '88888888-8888-4888-8888-888888888883', '2026-01-10 12:30Z', 'git:gone', 60, NULL, 3600, NULL,
        lease_line(), 0, 9, 'Quarantined', 'PodLost', 'job:gone/1', '33333333-3333-4333-8333-333333333333', 'gone', 1, true,
        NULL, '2026-01-10 11:00Z', '2026-01-10 11:01Z', NULL, '2026-01-10 11:05Z');
INSERT INTO lease_tickets (workspace, name, holder, job_name, alive_until)
VALUES ('team', 'deploy', 'job:third/1', 'third', '2099-01-01 00:00Z');
