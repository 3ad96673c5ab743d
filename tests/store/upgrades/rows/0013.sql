-- A key of a machine that opens something, and one that was taken back.
INSERT INTO api_keys (id, name, secret_hash, role, workspaces, queues, made_by, made_at, expires_at, revoked_at, revoked_by,
    last_used_at) VALUES
    ('abcdefgh01234567', 'ci', sha256('the secret of ci'), 'Admin', '{team}', '{reports}', 'user:ada', '2026-01-10 12:00Z',
        '2099-01-01 00:00Z', NULL, NULL, '2026-01-10 12:30Z'),
    ('abcdefgh01234568', 'old', sha256('the secret of old'), 'Read', NULL, NULL, 'user:ada', '2026-01-09 12:00Z', NULL,
        '2026-01-10 12:00Z', 'user:bob', NULL);
