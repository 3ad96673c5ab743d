-- A key whose Job is there, and one whose Job is about to be made.
INSERT INTO idempotency_keys (workspace, key, payload_hash, job_name, job_uid, created_at, expires_at) VALUES
    ('team', 'order-1', 'sha256:01', 'first', '11111111-1111-4111-8111-111111111111', '2026-01-10 12:00Z', '2099-01-01 00:00Z'),
    ('team', 'order-2', 'sha256:02', 'third', NULL, '2026-01-10 12:01Z', '2099-01-01 00:00Z');
