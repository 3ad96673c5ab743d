-- What came in from outside for the Schedule: handled and not; and a page that is looked at.
INSERT INTO triggers (id, schedule_uid, workspace, schedule_name, source, delivery_id, digest, body, received_at, handled_at)
VALUES
    ('10101010-1010-4010-8010-101010101011', '99999999-9999-4999-8999-999999999999', 'team', 'nightly', 'Webhook', 'd-1',
        'sha256:d1', '{"push": 1}', '2026-01-10 12:00Z', '2026-01-10 12:00:02Z'),
    ('10101010-1010-4010-8010-101010101012', '99999999-9999-4999-8999-999999999999', 'team', 'nightly', 'Webhook', 'd-2',
        'sha256:d2', NULL, '2026-01-10 12:05Z', NULL);
INSERT INTO known_deliveries (schedule_uid, key, until)
VALUES ('99999999-9999-4999-8999-999999999999', 'id:d-1', '2099-01-01 00:00Z');
INSERT INTO polls (schedule_uid, generation, url, digest, due_at, claim, failures, error, checked_at)
VALUES ('99999999-9999-4999-8999-999999999999', 1, 'https://status.example/', 'sha256:p1', '2026-01-10 12:10Z',
    '10101010-1010-4010-8010-10101010101c', 2, 'timeout', '2026-01-10 12:09Z');
INSERT INTO ticks (schedule_uid, id, source, at, due_at, through, cause) VALUES
    ('99999999-9999-4999-8999-999999999999', 't5', 'Webhook', '2026-01-10 12:00Z', '2026-01-10 12:00Z', '2026-01-10 12:00Z',
        '{"delivery": "d-1"}');
