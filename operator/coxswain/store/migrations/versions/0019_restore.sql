-- Backup and restore. The owner alone calls these functions: images/postgres/coxswain-backup does, and docs/backup.md
-- says when a person does.

-- What a backup holds: one snapshot's account of itself. A restore is whole when the restored tables give the same.
CREATE FUNCTION backup_manifest() RETURNS jsonb LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object(
        'revision', (SELECT version_num::integer FROM alembic_version),
        'minVersion', (SELECT min_version FROM schema_info),
        'epoch', (SELECT epoch FROM leadership),
        'position', (SELECT position FROM event_head),
        'largestToken', (SELECT coalesce(max(token), 0) FROM leases),
        'objects', (SELECT coalesce(jsonb_object_agg(kind, count), '{}')
                    FROM (SELECT kind, count(*) FROM mirror WHERE deleted_at IS NULL GROUP BY kind) AS living),
        'rows', jsonb_build_object(
            'events', (SELECT count(*) FROM events), 'mirror', (SELECT count(*) FROM mirror),
            'runs', (SELECT count(*) FROM runs), 'leases', (SELECT count(*) FROM leases),
            'ticks', (SELECT count(*) FROM ticks), 'usage', (SELECT count(*) FROM usage),
            'artifacts', (SELECT count(*) FROM artifacts), 'deliveries', (SELECT count(*) FROM deliveries),
            'audit', (SELECT count(*) FROM audit), 'auditSeals', (SELECT count(*) FROM audit_seals)))
$$;

-- The objects that the records take for living, in the order in which they are to be made, each as a person would apply
-- it. left_out says why one is not to be made again: it has ended, or to do it again might do a side effect twice.
-- A Job has the attempts that were left; a person's word about an attempt goes with it. Owners are other objects' uids, which come no more: an object that names one
-- would be collected as garbage. Agents come first, since a Job whose Agent is younger counts as one whose Agent was deleted.
CREATE FUNCTION objects_to_restore()
RETURNS TABLE (uid uuid, kind text, workspace text, name text, left_out text, manifest jsonb)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH living AS (
        SELECT DISTINCT ON (mirror.kind, mirror.workspace, mirror.name) mirror.*, mirror.object -> 'spec' AS spec
        FROM mirror WHERE deleted_at IS NULL
        ORDER BY mirror.kind, mirror.workspace, mirror.name, created_at DESC, mirror.uid DESC
    ), known AS (
        SELECT living.*, schedules.held, coalesce(schedules.paused, false) AS paused,
            -- Who was told to end has not said how it went: coxswain.rules.outcome.
            run.result IS NOT NULL AND run.result ->> 'reason' IS DISTINCT FROM 'Terminated' AS posted,
            coalesce(run.acts_open <> '{}', false) AS acting,
            coalesce((spec #>> '{retry,maxAttempts}')::integer, 1) AS most,
            coalesce((object #>> '{status,attemptsUsed}')::integer, 0) AS used,
            spec ? 'command' OR (spec ? 'steps' AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(spec -> 'steps') AS step WHERE NOT step ? 'command')) AS programs
        FROM living
        LEFT JOIN schedules ON schedules.schedule_uid = living.uid
        LEFT JOIN LATERAL (SELECT result, acts_open FROM runs WHERE living.kind = 'Job' AND job_uid = living.uid
            AND closed_at IS NULL ORDER BY attempt DESC LIMIT 1) AS run ON true
    ), judged AS (
        -- Programs may be tried again blindly where the retry says so; a model's tools never.
        SELECT known.*, acting AND NOT (programs AND most > 1) AS unknown FROM known
    ), counted AS (
        SELECT judged.*, used + unknown::integer AS gone FROM judged
    )
    SELECT counted.uid, counted.kind, counted.workspace, counted.name,
        CASE
            WHEN object #>> '{metadata,deletionTimestamp}' IS NOT NULL THEN 'BeingDeleted'
            WHEN counted.kind = 'Schedule' AND held = 'LimitReached' THEN 'LimitReached'
            WHEN counted.kind <> 'Job' THEN NULL
            WHEN phase IN ('Succeeded', 'Failed', 'Cancelled') THEN 'Ended'
            WHEN phase = 'Review' THEN 'InReview'
            WHEN posted THEN 'ResultPosted'
            WHEN unknown AND NOT (spec #>> '{review,onUnknown}' IS NOT DISTINCT FROM 'Retry' AND gone < most)
                THEN 'OutcomeUnknown'
        END,
        jsonb_build_object(
            'apiVersion', 'coxswain.dev/v1alpha1',
            'kind', counted.kind,
            'metadata', jsonb_strip_nulls(jsonb_build_object(
                'name', counted.name, 'namespace', counted.workspace, 'labels', object #> '{metadata,labels}',
                'annotations', nullif(
                    CASE WHEN paused THEN jsonb_build_object('coxswain.dev/suspend',
                        '{"by": "restore", "why": "it had paused itself after a failure"}') ELSE '{}' END
                    || (coalesce(object #> '{metadata,annotations}', '{}') - 'coxswain.dev/review'), '{}'))),
            'spec', CASE WHEN counted.kind = 'Job' AND gone > 0
                THEN jsonb_set(spec, '{retry,maxAttempts}', to_jsonb(greatest(1, most - gone))) ELSE spec END)
    FROM counted
    ORDER BY array_position(ARRAY['Agent', 'Lease', 'Schedule', 'Job'], counted.kind), created_at, counted.uid
$$;

-- To be called once on tables that came out of a backup, before anything of the platform runs on them.
--
-- Positions and tokens leap to what the clock says: a second is worth four million of them, more than anybody gives out.
-- So those of a second restore of the same backup lie beyond those of the first, which no backup knows. 2^53, the largest
-- that every reader of JSON keeps, is reached in 2094. No lease is handed over before the operator has looked at it.
-- What is of the former cluster is forgotten: the keys of its tokens, what its networks enforce, what runs. Objects that
-- are made anew may take the idempotency keys of their former selves; those that are not keep others from them.
CREATE FUNCTION after_restore() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    beyond bigint := floor(extract(epoch FROM clock_timestamp() - timestamptz '2026-01-01 00:00:00Z') * 4194304)::bigint;
BEGIN
    UPDATE event_head SET position = greatest(position + 4294967296, beyond);
    UPDATE leases SET line = '', floor = greatest(floor + 1000000, token + 1000000, beyond);
    DELETE FROM issuer_keys;
    DELETE FROM enforcement;
    DELETE FROM running_processes;
    UPDATE idempotency_keys SET job_uid = NULL
    WHERE job_uid IN (SELECT uid FROM objects_to_restore() WHERE left_out IS NULL);
END $$;

REVOKE EXECUTE ON FUNCTION backup_manifest, objects_to_restore, after_restore FROM PUBLIC;
