-- One Job that succeeded at its second attempt, one that runs, one that is gone, and all that belongs to them.
UPDATE leadership SET epoch = 7, holder = 'coxswain-operator-0', since = '2026-01-10 08:00Z';

SELECT make_event_days('2026-01-09', '2026-01-10');
SELECT append_events(
    ARRAY['019ba7c7-1200-7000-8000-000000000001', '019ba7c7-1200-7000-8000-000000000002',
          '019ba7c7-2588-7000-8000-000000000003', '019ba7c7-2970-7000-8000-000000000004']::uuid[],
    ARRAY['job.queued', 'run.claimed', 'run.tool_call', 'run.tool_result'],
    ARRAY['operator', 'agent:team/reader', 'agent:team/reader', 'agent:team/reader'],
    ARRAY['team', 'team', 'team', 'team'], ARRAY['Job', 'Job', 'Job', 'Job'], ARRAY['first', 'first', 'first', 'first'],
    array_fill('11111111-1111-4111-8111-111111111111'::uuid, ARRAY[4]),
    ARRAY[NULL, 2, 2, 2], ARRAY[NULL, NULL, 1, 2]::bigint[],
    ARRAY['{}', '{"pod": "first-2"}', '{"id": "c1", "name": "list_files", "arguments": "{}"}',
          '{"id": "c1", "name": "list_files", "outcome": "ok", "text": "a b"}'], false);
-- A day that nobody made lands in the net; one that was late; a repeat, which takes no position.
SELECT append_events(
    ARRAY['019b6eb3-4100-7000-8000-000000000005', '019ba533-e20c-7000-8000-000000000006',
          '019ba7c7-1200-7000-8000-000000000001']::uuid[],
    ARRAY['user.note', 'job.running', 'job.queued'], ARRAY['user:local', 'operator', 'operator'],
    ARRAY['team', 'team', 'team'], ARRAY['', 'Job', 'Job'], ARRAY['', 'second', 'first'],
    ARRAY[NULL, '22222222-2222-4222-8222-222222222222', '11111111-1111-4111-8111-111111111111']::uuid[],
    ARRAY[NULL, NULL, NULL]::integer[], ARRAY[NULL, NULL, NULL]::bigint[],
    ARRAY['{"text": "größer"}', '{"attempt": 1}', '{}'], false);

INSERT INTO runs (job_uid, attempt, workspace, job_name, agent_name, pod_name, service_account, token, document, epoch,
    created_at, pod_uid, claimed_at, heartbeat_at, last_seq, highest_seq, acts_open, result, result_at, cancel_requested,
    closed_at, closed_reason)
SELECT given.uid, given.attempt, 'team', given.job, 'reader', given.job || '-' || given.attempt, 'coxswain-agent', given.token,
    jsonb_build_object('contract', 1, 'workspace', 'team', 'jobName', given.job, 'jobUid', given.uid,
        'attempt', given.attempt, 'title', 'A question', 'description', NULL, 'prompt', 'What is in it?', 'command', NULL,
        'agentName', 'reader', 'agentUid', 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'instructions', 'Read.',
        'instructionsFile', NULL, 'tools', '["list_files", "read_file"]'::jsonb,
        'limits', '{"maxSteps": 50, "timeoutSeconds": 3600, "startTimeoutSeconds": 300, "commandTimeoutSeconds": 30}'::jsonb,
        'timeoutSeconds', 3600, 'repeatable', false,
        'models', '[{"alias": "demo", "provider": "demo", "model": "demo", "baseUrl": null, "secretName": null}]'::jsonb),
    7, '2026-01-10 12:00Z', given.pod, given.claimed, given.claimed, given.seq, given.seq, given.acts, given.result,
    given.result_at, given.cancel, given.closed, given.reason
FROM (VALUES
    ('11111111-1111-4111-8111-111111111111'::uuid, 1, 'first', 1, NULL::uuid, NULL::timestamptz, 0, '{}'::jsonb,
        NULL::jsonb, NULL::timestamptz, false, '2026-01-10 12:00:02Z'::timestamptz, 'Lost'),
    ('11111111-1111-4111-8111-111111111111', 2, 'first', 2, 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', '2026-01-10 12:00:04Z',
        2, '{}', '{"status": "succeeded", "answer": "Two files.", "artifacts": ["stdout"]}', '2026-01-10 12:00:20Z', false,
        '2026-01-10 12:00:30Z', 'Succeeded'),
    ('22222222-2222-4222-8222-222222222222', 1, 'second', 1, 'cccccccc-cccc-4ccc-8ccc-cccccccccccc', '2026-01-10 12:00:25Z',
        0, '{"dddddddd-dddd-4ddd-8ddd-dddddddddddd": "command"}', NULL, NULL, true, NULL, NULL)
) AS given (uid, attempt, job, token, pod, claimed, seq, acts, result, result_at, cancel, closed, reason);

INSERT INTO mirror (uid, kind, workspace, name, generation, resource_version, phase, object, created_at, deleted_at)
SELECT given.uid::uuid, given.kind, 'team', given.name, 1, given.version, given.phase,
    jsonb_build_object('apiVersion', 'coxswain.dev/v1alpha1', 'kind', given.kind,
        'metadata', jsonb_build_object('name', given.name, 'namespace', 'team', 'uid', given.uid), 'spec', given.spec),
    given.made::timestamptz, given.gone::timestamptz
FROM (VALUES
    ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'Agent', 'reader', '10', 'Ready', '{}'::jsonb, '2026-01-09 09:00Z', NULL),
    ('11111111-1111-4111-8111-111111111111', 'Job', 'first', '30', 'Succeeded',
        '{"agentRef": {"name": "reader"}, "title": "A question", "prompt": "What is in it?"}', '2026-01-10 12:00Z', NULL),
    ('22222222-2222-4222-8222-222222222222', 'Job', 'second', '31', 'Running',
        '{"agentRef": {"name": "reader"}, "title": "Another", "queue": "reports", "command": ["date"]}',
        '2026-01-10 12:00:01Z', NULL),
    ('33333333-3333-4333-8333-333333333333', 'Job', 'gone', '12', 'Failed',
        '{"agentRef": {"name": "reader"}, "title": "Gone", "prompt": "?"}', '2026-01-09 10:00Z', '2026-01-09 11:00Z')
) AS given (uid, kind, name, version, phase, spec, made, gone);

INSERT INTO verdicts (agent_uid, workspace, agent_name, generation, ready, reason, message)
VALUES ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'team', 'reader', 1, true, 'ModelsReady', 'all answer');
INSERT INTO usage (id, at, workspace, agent_name, job_uid, attempt, alias, provider, model, input_tokens, output_tokens,
    milliseconds, streamed, outcome)
VALUES ('019ba7c7-2588-7000-8000-0000000000aa', '2026-01-10 12:00:05Z', 'team', 'reader',
    '11111111-1111-4111-8111-111111111111', 2, 'demo', 'demo', 'demo', 120, 34, 250, false, 'ok');
INSERT INTO artifacts (job_uid, attempt, name, content_type, sha256, bytes, content)
VALUES ('11111111-1111-4111-8111-111111111111', 2, 'stdout', 'text/plain',
    encode(sha256('two files'::bytea), 'hex'), 9, 'two files');
INSERT INTO wakes (kind, workspace, name) VALUES ('Job', 'team', 'second'), ('Agent', 'team', 'reader');
INSERT INTO issuer_keys (issuer, key_id, jwk)
VALUES ('https://kubernetes.default.svc', 'k1', '{"kty": "RSA", "kid": "k1", "n": "AQAB", "e": "AQAB"}');
INSERT INTO enforcement (workspace, version, enforced, message) VALUES ('team', '0.1.0 agent', true, 'nothing got through');
