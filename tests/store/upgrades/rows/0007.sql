-- A file in the bucket, one that was deleted there, and the bytes of a run.
INSERT INTO artifact_objects (key, bucket, state, since, deleted_at) VALUES
    ('coxswain/11111111/2/report', 'files', 'Kept', '2026-01-10 12:00:15Z', NULL),
    ('coxswain/33333333/1/old', 'files', 'Doomed', '2026-01-10 11:00Z', '2026-01-10 11:30Z');
INSERT INTO artifacts (job_uid, attempt, name, content_type, sha256, bytes, object_key)
VALUES ('11111111-1111-4111-8111-111111111111', 2, 'report', 'application/pdf', repeat('ab', 32), 70000000,
    'coxswain/11111111/2/report');
INSERT INTO egress_amounts (job_uid, attempt, bytes, granted)
VALUES ('22222222-2222-4222-8222-222222222222', 1, 2097152, 1048576);
