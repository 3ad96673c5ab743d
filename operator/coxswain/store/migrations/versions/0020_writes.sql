-- Writes to the log cost less: a batch pays once for what each of its events paid for, and no write looks at every day that
-- is kept.

-- As before, with whole numbers and from the id's bytes. It is asked for every event.
CREATE OR REPLACE FUNCTION event_time(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / 1000::float8)
$$;

-- Which of these ids are new: their places in the order of the batch, each id once. Not those that stand in the log, nor
-- those of a day that was dropped. To be asked under the lock on the head row. Nested loops, because this plan is made when
-- the log is empty and kept when it is large; bounds, because only the days between them are opened.
CREATE FUNCTION places_of_new_events(ids uuid[], low uuid, high uuid, oldest_id uuid) RETURNS integer[]
LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT first.place FROM (
            SELECT DISTINCT ON (given.id) given.id, given.place::integer
            FROM unnest(ids) WITH ORDINALITY AS given (id, place) ORDER BY given.id, given.place
        ) AS first
        WHERE first.id >= oldest_id AND NOT EXISTS (
            SELECT FROM events AS stored WHERE stored.id = first.id AND stored.id BETWEEN low AND high)
        ORDER BY first.place);
END $$;

-- The one way into the log, as before in all that it does. Its key tells that an id is there already: then the batch is
-- undone, and written again without it. So nearly no id is looked up before it is written. The plan is kept whatever it is:
-- made anew for each call, as for arrays whose length it knows, it would cost more than to execute it.
CREATE OR REPLACE FUNCTION append_events(
    ids uuid[], types text[], actors text[], workspaces text[], kinds text[], names text[], uids uuid[],
    attempts integer[], seqs bigint[], details text[], windowed boolean,
    versions integer[] DEFAULT NULL, securities boolean[] DEFAULT NULL
) RETURNS TABLE (last_position bigint, accepted integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    sorted uuid[] := ARRAY(SELECT unnest(ids) ORDER BY 1);
    low uuid := sorted[1];
    high uuid := sorted[cardinality(ids)];
    places integer[] := ARRAY(SELECT generate_series(1, cardinality(ids)));
    start bigint;
    oldest_id uuid;
    wrong uuid;
    is_again boolean := false;
BEGIN
    IF windowed THEN
        wrong := CASE WHEN event_time(low) < now() - interval '7 days' THEN low
                      WHEN event_time(high) > now() + interval '10 minutes' THEN high END;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'event % has a time more than 10 minutes ahead or 7 days back', wrong USING ERRCODE = 'CX001';
        END IF;
    END IF;
    PERFORM adopt_event_head();
    SELECT position, kept_from INTO start, oldest_id FROM event_head FOR UPDATE;
    IF low < oldest_id THEN
        places := places_of_new_events(ids, low, high, oldest_id);
    END IF;
    LOOP
        BEGIN
            INSERT INTO events (id, position, at, type, actor, workspace, kind, name, uid, attempt, seq, details,
                                version, is_security)
            SELECT ids[place], start + number, event_time(ids[place]), types[place], actors[place], workspaces[place],
                   kinds[place], names[place], uids[place], attempts[place], seqs[place], details[place]::jsonb,
                   coalesce(versions[place], 1), coalesce(securities[place], false)
            FROM unnest(places) WITH ORDINALITY AS fresh (place, number);
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF is_again THEN
                RAISE;
            END IF;
            is_again := true;
            places := places_of_new_events(ids, low, high, oldest_id);
        END;
    END LOOP;
    accepted := cardinality(places);
    last_position := start + accepted;
    IF accepted > 0 THEN
        UPDATE event_head SET position = last_position;
        PERFORM pg_notify('coxswain_events', last_position::text);
    END IF;
    RETURN NEXT;
END $$;

-- The rows of the audit log, as before in what they hold, all those of a statement at once.
CREATE FUNCTION audit_new_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    audited CONSTANT text[] := ARRAY[
        'run.tool_call', 'run.tool_result', 'run.egress.refused', 'run.approval.asked', 'run.approval.ended',
        'lease.acquired', 'lease.released', 'lease.reclaimed'];
BEGIN
    -- Most statements write none, and to look costs less than to make ready for an insert.
    IF NOT EXISTS (SELECT FROM inserted WHERE type = ANY (audited)) THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, object_name, object_uid,
                       reason, hashes, details)
    SELECT act.id, act.workspace, left(split_part(act.actor, ':', 1), 64),
           left(substr(act.actor, length(split_part(act.actor, ':', 1)) + 2), 1024), act.type,
           CASE
               WHEN act.type IN ('run.tool_call', 'run.approval.asked') THEN 'begun'
               WHEN act.type = 'run.egress.refused' THEN 'denied'
               WHEN act.type = 'run.tool_result' AND act.details ->> 'outcome' IS DISTINCT FROM 'ok' THEN 'failed'
               WHEN act.type = 'run.approval.ended' AND act.details ->> 'state' IS DISTINCT FROM 'Approved' THEN 'denied'
               ELSE 'done'
           END,
           left(act.kind, 64), left(act.name, 1024), coalesce(act.uid::text, ''),
           left(coalesce(CASE WHEN act.type LIKE 'lease.%'
                              THEN coalesce(act.details ->> 'message', act.details ->> 'reason') END, ''), 4096),
           jsonb_strip_nulls(CASE
               WHEN act.type IN ('run.tool_call', 'run.tool_result') THEN jsonb_build_object(
                   CASE act.type WHEN 'run.tool_call' THEN 'arguments' ELSE 'result' END,
                   coalesce(left(act.details ->> 'sha256', 64), encode(sha256(convert_to(
                       coalesce(act.details ->> 'arguments', act.details ->> 'text'), 'UTF8')), 'hex')))
               WHEN act.details ? 'hash' THEN jsonb_build_object('call', left(act.details ->> 'hash', 64))
               ELSE '{}'
           END),
           jsonb_strip_nulls(jsonb_build_object(
               'id', left(act.details ->> 'id', 100), 'name', left(act.details ->> 'name', 100),
               'tool', left(act.details ->> 'tool', 100), 'state', left(act.details ->> 'state', 100),
               'code', left(act.details ->> 'code', 100), 'host', left(act.details ->> 'host', 100),
               'port', left(act.details ->> 'port', 100), 'outcome', left(act.details ->> 'outcome', 100),
               'token', left(act.details ->> 'token', 100), 'holder', left(act.details ->> 'holder', 100),
               'formerHolder', left(act.details ->> 'formerHolder', 100),
               'resource', left(act.details ->> 'resource', 100), 'attempt', act.attempt))
    FROM inserted AS act WHERE act.type = ANY (audited)
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER events_audited ON events;
CREATE TRIGGER events_audited AFTER INSERT ON events REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION audit_new_events();
DROP FUNCTION audit_event;
REVOKE EXECUTE ON FUNCTION places_of_new_events, audit_new_events FROM PUBLIC;
