-- One callback that was delivered at its second try, one that a gateway is at.
INSERT INTO deliveries (id, workspace, job_uid, job_name, type, url, host, signing_secret, body, created_at, state, reason,
    due_at, ended_at, claim, tries, round_tries, round_at) VALUES
    ('44444444-4444-4444-8444-444444444441', 'team', '11111111-1111-4111-8111-111111111111', 'first', 'job.succeeded',
        'https://hooks.example/a', 'hooks.example', 'signing', '{"a": 1}', '2026-01-10 12:00:30Z', 'Delivered', '',
        '2026-01-10 12:00:40Z', '2026-01-10 12:00:41Z', NULL, 2, 2, '2026-01-10 12:00:31Z'),
    ('44444444-4444-4444-8444-444444444442', 'team', '33333333-3333-4333-8333-333333333333', 'gone', 'job.failed',
        'https://hooks.example/b', 'hooks.example', NULL, '{"b": 2}', '2026-01-10 12:00:50Z', 'Pending', 'timeout',
        '2099-01-01 00:00Z', NULL, '44444444-4444-4444-8444-44444444444c', 1, 1, '2026-01-10 12:00:51Z');
INSERT INTO delivery_tries (delivery_id, number, at, milliseconds, status, error) VALUES
    ('44444444-4444-4444-8444-444444444441', 1, '2026-01-10 12:00:31Z', 5000, NULL, 'timeout'),
    ('44444444-4444-4444-8444-444444444441', 2, '2026-01-10 12:00:41Z', 40, 204, '');
