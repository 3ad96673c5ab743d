-- Days of the event log may be dropped by the operator. From this id on events are kept: what is older and does not stand
-- was dropped, so it is not written again by one who writes all that ever happened to an object.
ALTER TABLE event_head ADD COLUMN kept_from uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';

-- Drop the oldest days (UTC) that ended before this time, so many at most (NULL: all), none younger than a week: an
-- event may come so late. Each has a row in the audit log. What lies in events_other stays: no day was made for it.
-- The head first, as append_events does. Who reads the log and appends then could hold what is waited for here, so this
-- one gives up first: sooner than Postgres looks for a deadlock.
CREATE FUNCTION drop_events(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
DECLARE
    dropped integer := 0;
    old text;
    day date;
BEGIN
    PERFORM FROM event_head FOR UPDATE;
    FOR old IN
        SELECT child.relname FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'events'::regclass AND child.relname ~ '^events_[0-9]{8}$'
          AND to_date(right(child.relname, 8), 'YYYYMMDD') < least(before::date, current_date - 7)
        ORDER BY child.relname LIMIT most
    LOOP
        day := to_date(right(old, 8), 'YYYYMMDD');
        EXECUTE format('DROP TABLE %I', old);
        UPDATE event_head SET kept_from = greatest(kept_from, event_bound((day + 1)::timestamptz));
        INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, object_name)
        VALUES (gen_random_uuid(), '', 'operator', '', 'drop_events', 'done', 'EventDay', day::text);
        dropped := dropped + 1;
    END LOOP;
    IF dropped > 0 THEN
        UPDATE event_head SET oldest = coalesce((SELECT min(events.position) FROM events), event_head.position + 1);
    END IF;
    RETURN dropped;
END $$;
REVOKE EXECUTE ON FUNCTION drop_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_events TO coxswain_operator;

-- The owner's own way stays, and is the same.
CREATE OR REPLACE FUNCTION drop_event_days(before date) RETURNS integer
LANGUAGE sql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT drop_events(before::timestamptz, NULL)
$$;

-- As before, but without what is of a day that was dropped.
CREATE OR REPLACE FUNCTION append_events(
    ids uuid[], types text[], actors text[], workspaces text[], kinds text[], names text[], uids uuid[],
    attempts integer[], seqs bigint[], details text[], windowed boolean,
    versions integer[] DEFAULT NULL, securities boolean[] DEFAULT NULL
) RETURNS TABLE (last_position bigint, accepted integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    start bigint;
    oldest_id uuid;
    wrong uuid;
BEGIN
    IF windowed THEN
        SELECT id INTO wrong FROM unnest(ids) AS id
        WHERE event_time(id) NOT BETWEEN now() - interval '7 days' AND now() + interval '10 minutes' LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'event % has a time more than 10 minutes ahead or 7 days back', wrong USING ERRCODE = 'CX001';
        END IF;
    END IF;
    PERFORM adopt_event_head();
    SELECT position, kept_from INTO start, oldest_id FROM event_head FOR UPDATE;
    INSERT INTO events (id, position, at, type, actor, workspace, kind, name, uid, attempt, seq, details,
                        version, is_security)
    SELECT fresh.id, start + row_number() OVER (ORDER BY fresh.place), event_time(fresh.id), fresh.type, fresh.actor,
           fresh.workspace, fresh.kind, fresh.name, fresh.uid, fresh.attempt, fresh.seq, fresh.details::jsonb,
           coalesce(fresh.version, 1), coalesce(fresh.is_security, false)
    FROM (
        SELECT DISTINCT ON (given.id) given.*
        FROM unnest(ids, types, actors, workspaces, kinds, names, uids, attempts, seqs, details, versions,
                    securities) WITH ORDINALITY
             AS given (id, type, actor, workspace, kind, name, uid, attempt, seq, details, version,
                       is_security, place)
        ORDER BY given.id, given.place
    ) AS fresh
    WHERE fresh.id >= oldest_id AND NOT EXISTS (SELECT FROM events stored WHERE stored.id = fresh.id);
    GET DIAGNOSTICS accepted = ROW_COUNT;
    last_position := start + accepted;
    IF accepted > 0 THEN
        UPDATE event_head SET position = last_position;
        PERFORM pg_notify('coxswain_events', last_position::text);
    END IF;
    RETURN NEXT;
END $$;

-- As before, but what a person says of a lease that is taken away comes before the word for it.
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
           left(coalesce(CASE WHEN NEW.type LIKE 'lease.%'
                               THEN coalesce(NEW.details ->> 'message', NEW.details ->> 'reason') END, ''), 4096),
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

-- Gateways tell of strangers whom they refused, in sums, and write no other row of the audit log.
CREATE FUNCTION audit_refusals(given uuid, counts jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, details)
    VALUES (given, '', 'anonymous', '', 'requests_refused', 'denied', counts)
    ON CONFLICT (id) DO NOTHING
$$;
REVOKE EXECUTE ON FUNCTION audit_refusals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_refusals TO coxswain_gateway;
