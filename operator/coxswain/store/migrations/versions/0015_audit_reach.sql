-- A little of the audit log is found, and dropped, without reading the rest; and an event that leaves out what a call was
-- given has no hash of it.

CREATE INDEX audit_of_uid ON audit (object_uid, at, id) WHERE object_uid <> '';
CREATE INDEX audit_of_action ON audit (action, at, id);
-- By kind alone: what agents do, and what is done to Jobs, is most of the log, and is found by time.
CREATE INDEX audit_of_actor_kind ON audit (actor_kind, at, id) WHERE actor_kind <> 'agent';
CREATE INDEX audit_of_object_kind ON audit (object_kind, at, id) WHERE object_kind NOT IN ('Job', '');

-- What may still be dropped: seals stay for good, and most of them were emptied long ago.
CREATE INDEX audit_seals_kept ON audit_seals (workspace, number) WHERE dropped_at IS NULL;

-- As before, but without a hash where the event shows nothing to hash.
CREATE OR REPLACE FUNCTION audit_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said text := coalesce(NEW.details ->> 'arguments', NEW.details ->> 'text');
    hash text := coalesce(left(NEW.details ->> 'sha256', 64), encode(sha256(convert_to(said, 'UTF8')), 'hex'));
    shown text[] := '{id,name,tool,state,code,host,port,outcome,token,holder,formerHolder,resource}';
BEGIN
    INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, object_name, object_uid,
                       reason, hashes, details)
    SELECT NEW.id, NEW.workspace, left(split_part(NEW.actor, ':', 1), 64),
           left(substr(NEW.actor, length(split_part(NEW.actor, ':', 1)) + 2), 1024), NEW.type,
           CASE
               WHEN NEW.type IN ('run.tool_call', 'run.approval.asked') THEN 'begun'
               WHEN NEW.type = 'run.egress.refused' THEN 'denied'
               WHEN NEW.type = 'run.tool_result' AND NEW.details ->> 'outcome' IS DISTINCT FROM 'ok' THEN 'failed'
               WHEN NEW.type = 'run.approval.ended' AND NEW.details ->> 'state' IS DISTINCT FROM 'Approved' THEN 'denied'
               ELSE 'done'
           END,
           left(NEW.kind, 64), left(NEW.name, 1024), coalesce(NEW.uid::text, ''),
           left(coalesce(CASE WHEN NEW.type LIKE 'lease.%' THEN NEW.details ->> 'reason' END, ''), 4096),
           jsonb_strip_nulls(CASE
               WHEN NEW.type = 'run.tool_call' THEN jsonb_build_object('arguments', hash)
               WHEN NEW.type = 'run.tool_result' THEN jsonb_build_object('result', hash)
               WHEN NEW.details ? 'hash' THEN jsonb_build_object('call', left(NEW.details ->> 'hash', 64))
               ELSE '{}'
           END),
           coalesce(jsonb_object_agg(given.key, left(given.value, 100)) FILTER (WHERE given.value IS NOT NULL), '{}')
               || CASE WHEN NEW.attempt IS NULL THEN '{}' ELSE jsonb_build_object('attempt', NEW.attempt) END
    FROM jsonb_each_text(NEW.details) AS given
    WHERE given.key = ANY (shown)
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;

-- As before, but without a look at what was dropped before.
CREATE OR REPLACE FUNCTION drop_audit(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := least(before, now() - interval '1 day');
    left_over integer := most;
    due record;
    gone integer;
    dropped integer := 0;
BEGIN
    -- From one workspace to the next along the index of what is kept; in each from its oldest seal up to the first that
    -- is too young.
    FOR due IN
        WITH RECURSIVE chains AS (
            (SELECT kept.workspace FROM audit_seals kept WHERE dropped_at IS NULL ORDER BY kept.workspace LIMIT 1)
            UNION ALL
            SELECT (SELECT kept.workspace FROM audit_seals kept
                    WHERE dropped_at IS NULL AND kept.workspace > chains.workspace ORDER BY kept.workspace LIMIT 1)
            FROM chains WHERE chains.workspace IS NOT NULL)
        SELECT chains.workspace, oldest.first, oldest.last, oldest.seals
        FROM chains CROSS JOIN LATERAL (
            SELECT min(number) AS first, max(number) AS last, count(*) AS seals FROM (
                SELECT number, bool_and(sealed_at < until) OVER (ORDER BY number) AS is_due FROM (
                    SELECT number, sealed_at FROM audit_seals kept
                    WHERE kept.workspace = chains.workspace AND dropped_at IS NULL ORDER BY number LIMIT most
                ) AS walked
            ) AS judged WHERE is_due) AS oldest
        WHERE oldest.seals > 0
    LOOP
        EXIT WHEN left_over < 1;
        due.last := least(due.last, due.first + left_over - 1);
        left_over := left_over - (due.last - due.first + 1);
        UPDATE audit_seals SET dropped_at = now()
        WHERE workspace = due.workspace AND number BETWEEN due.first AND due.last AND dropped_at IS NULL;
        DELETE FROM audit WHERE workspace = due.workspace AND seal BETWEEN due.first AND due.last;
        GET DIAGNOSTICS gone = ROW_COUNT;
        dropped := dropped + gone;
        INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, details)
        VALUES (gen_random_uuid(), due.workspace, 'operator', '', 'drop_audit', 'done', 'Seal',
                jsonb_build_object('first', due.first, 'last', due.last, 'rows', gone));
    END LOOP;
    RETURN dropped;
END $$;
