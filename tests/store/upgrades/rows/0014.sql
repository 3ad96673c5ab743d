-- A chain of two seals, signed with key 1 of tests/support/audit_log; the rows of the first were dropped. What the events
-- of before have left waits for a seal.
INSERT INTO audit_keys (key_id, public_key, since)
VALUES ('34750f98bd59fcfc', '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c',
    '2026-01-10 12:00Z');
INSERT INTO audit_seals (workspace, number, installation, previous, rows, root, sealed_at, server, key_id, digest, signature,
    dropped_at) VALUES
    ('team', 1, 'test',
        '0000000000000000000000000000000000000000000000000000000000000000', 2,
        '5ac252555bd55750160b0f26c7874c2f9424490c1bf4aee7ba9fe5a64a8f543b', '2026-11-29T13:00:00.123456+00:00', 'server/1/1',
        '34750f98bd59fcfc',
        '66e8a3f771f364c3587c12aeba17b16580467af029c90968be392cc030c6e619',
        '884186f16cc0f128ca0158950d02d157e6c328bddf18dbf27f2a2b06c2a66ce7e69cbf935b87df9ac24a6d0cea3e5b65ac7eac8991fa202dc3b13600b00e9e00',
        '2026-11-29T14:00:00+00:00'),
    ('team', 2, 'test',
        '66e8a3f771f364c3587c12aeba17b16580467af029c90968be392cc030c6e619', 2,
        '2f47ef22012b770ac710942e429d845506afa12db57acc6732d1d4e6ef2cfa4a', '2026-11-29T13:00:00.123456+00:00', 'server/1/1',
        '34750f98bd59fcfc',
        '016727fc16c2cf3b0686e860cb3b62d18fb8d3ba035c2f325fbe8c1f69147b6d',
        'b408b3880ec8f6e0c90e6ab61e61c1259447007810e87dc3b5ac0a23050c131625765f1a2619aa38dc5816df01d049719d91fbdf85b17afc28991107a642f200',
        NULL);
INSERT INTO audit (id, at, workspace, actor_kind, actor_name, action, outcome, begun_by, object_kind, object_name, object_uid,
    reason, request_id, hashes, details, seal, place) VALUES
    ('00000000-0000-7000-8000-000000000003', '2026-11-29T12:00:03.123456+00:00', 'team', 'user', 'local', 'create_job',
        'begun', NULL, 'Job', 'nightly', '', '', '',
        '{}', '{}', 2, 1),
    ('00000000-0000-7000-8000-000000000004', '2026-11-29T12:00:04.123456+00:00', 'team', 'user', 'local', 'create_job',
        'done', '00000000-0000-7000-8000-000000000003', 'Job', 'nightly', '', 'it was stuck', 'req-1',
        '{"payload": "00ff"}', '{"name": "nightly"}', 2, 2);
