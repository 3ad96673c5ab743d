-- A call that people agreed to. Its run has the rule that the call is judged by.
UPDATE runs SET document = document || '{"approvals": {"approvers": ["ada"]}}'
WHERE job_uid = '11111111-1111-4111-8111-111111111111' AND attempt = 2;
INSERT INTO asked_calls (job_uid, attempt, hash, tool, arguments, asked_at, until, state, message, ended_at) VALUES
    ('11111111-1111-4111-8111-111111111111', 2, 'h2', 'run_command', '{"command": "date"}', '2026-01-10 12:00:07Z',
        '2026-01-10 13:00:07Z', 'Approved', '', '2026-01-10 12:00:09Z');
