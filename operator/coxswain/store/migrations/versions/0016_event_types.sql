-- Events have the version of their type, and say whether they matter to security. What stands already is of version 1
-- and says no: the log is append-only, so it is not looked through.
ALTER TABLE events ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE events ADD COLUMN is_security boolean NOT NULL DEFAULT false;
-- Few events are of this sort, so the index is small, and costs the others nothing.
CREATE INDEX events_of_security ON events (position) WHERE is_security;

-- As before, with two arrays more. A program of the version before gives neither: its events are of version 1.
DROP FUNCTION append_events(uuid[], text[], text[], text[], text[], text[], uuid[], integer[], bigint[], text[], boolean);
CREATE FUNCTION append_events(
    ids uuid[], types text[], actors text[], workspaces text[], kinds text[], names text[], uids uuid[],
    attempts integer[], seqs bigint[], details text[], windowed boolean,
    versions integer[] DEFAULT NULL, securities boolean[] DEFAULT NULL
) RETURNS TABLE (last_position bigint, accepted integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    start bigint;
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
    SELECT position INTO start FROM event_head FOR UPDATE;
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
    WHERE NOT EXISTS (SELECT FROM events stored WHERE stored.id = fresh.id);
    GET DIAGNOSTICS accepted = ROW_COUNT;
    last_position := start + accepted;
    IF accepted > 0 THEN
        UPDATE event_head SET position = last_position;
        PERFORM pg_notify('coxswain_events', last_position::text);
    END IF;
    RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION append_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
