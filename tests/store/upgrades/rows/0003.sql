-- Two people said something about a Job that has to be agreed to.
INSERT INTO approvals (job_uid, approver, hash, approved, reason, at) VALUES
    ('22222222-2222-4222-8222-222222222222', 'ada', 'h1', true, 'looks good', '2026-01-10 12:00:10Z'),
    ('22222222-2222-4222-8222-222222222222', 'bob', 'h1', false, 'not today', '2026-01-10 12:00:11Z');
