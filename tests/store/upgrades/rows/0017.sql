-- A flag that people switched, and a process that told what it runs with.
UPDATE flags SET is_on = false, version = 1, changed_by = 'user:ada', changed_at = '2026-01-10 12:00Z'
WHERE name = 'schedulesEnabled';
INSERT INTO running_processes (process, instance, settings) VALUES ('sidecar', 'one', '{"mode": "dev"}');
