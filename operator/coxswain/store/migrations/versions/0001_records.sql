-- The first tables: leadership, runs, the event log, the mirror of objects, verdicts, usage, artifacts, wake-ups.
-- Three roles beside the owner; each may do only what its process does. Roles belong to the whole server, so they
-- may be there already.

-- Which versions of the program can work with this schema: those whose own revision is at least min_version.
CREATE TABLE schema_info (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    min_version integer NOT NULL
);
INSERT INTO schema_info (min_version) VALUES (1);

DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['coxswain_operator', 'coxswain_sidecar', 'coxswain_gateway'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END $$;

-- Who leads. One row; every transaction of the operator reads it FOR SHARE and compares, so that a former
-- leader that wakes up late can write nothing.
CREATE TABLE leadership (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO leadership DEFAULT VALUES;

-- One row per attempt, written before its pod is made. The first pod that claims it owns it. No event of the pod is
-- missing up to last_seq; between it and highest_seq some are.
CREATE TABLE runs (
    job_uid uuid NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    workspace text NOT NULL,
    job_name text NOT NULL,
    agent_name text NOT NULL,
    pod_name text NOT NULL,
    service_account text NOT NULL,
    token bigint NOT NULL CHECK (token > 0),
    document jsonb NOT NULL,
    epoch bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    pod_uid uuid,
    claimed_at timestamptz,
    heartbeat_at timestamptz,
    last_seq bigint NOT NULL DEFAULT 0,
    highest_seq bigint NOT NULL DEFAULT 0,
    acts_open jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    result_at timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false,
    closed_at timestamptz,
    closed_reason text,
    PRIMARY KEY (job_uid, attempt)
);
CREATE UNIQUE INDEX runs_of_pods ON runs (pod_uid) WHERE pod_uid IS NOT NULL;
CREATE INDEX runs_by_pod_name ON runs (workspace, pod_name);
CREATE INDEX runs_open ON runs (workspace) WHERE closed_at IS NULL;

-- The head of the event log: positions are taken from here in the statement that inserts, so the order of commits
-- is the order of positions. After a failover or a restore the server is another one and positions leap.
-- oldest is the first position that is still kept.
CREATE TABLE event_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0,
    oldest bigint NOT NULL DEFAULT 1,
    system_id text NOT NULL DEFAULT '',
    timeline bigint NOT NULL DEFAULT 0
);
INSERT INTO event_head DEFAULT VALUES;

-- The event log. Partitions are ranges of the id, a UUIDv7, so that a repeat meets its first copy.
CREATE TABLE events (
    id uuid NOT NULL,
    position bigint NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    type text NOT NULL,
    actor text NOT NULL,
    workspace text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT '',
    name text NOT NULL DEFAULT '',
    uid uuid,
    attempt integer,
    seq bigint,
    details jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX events_by_position ON events (position);
CREATE INDEX events_of_object ON events (uid, position) WHERE uid IS NOT NULL;

-- Append-only, also for the owner: a row of the log is never changed, and goes only with its partition.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The net below the daily partitions: holds what no day was made for.
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events_other
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The instant inside a time-ordered id: its first 48 bits are milliseconds.
CREATE FUNCTION event_time(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
$$;

-- The smallest id of an instant.
CREATE FUNCTION event_bound(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Make the partitions of these days (UTC) where they are missing, and say how many were made. A day of which
-- events stand in events_other already stays there.
CREATE FUNCTION make_event_days(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    made integer := 0;
    day date;
    partition text;
    low uuid;
    high uuid;
BEGIN
    IF last_day - first_day > 60 THEN
        RAISE EXCEPTION 'at most 60 days at once' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One maker at a time; the others find the work done.
    PERFORM pg_advisory_xact_lock(hashtext('coxswain event days'));
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
        partition := 'events_' || to_char(day, 'YYYYMMDD');
        low := event_bound(day::timestamptz);
        high := event_bound((day + 1)::timestamptz);
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        CONTINUE WHEN EXISTS (SELECT FROM events_other WHERE id >= low AND id < high);
        EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format(
            'CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, low, high);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- Drop the partitions of days before this one, at least a week old. Only the owner may: nothing of the platform does.
CREATE FUNCTION drop_event_days(before date) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    dropped integer := 0;
    partition text;
BEGIN
    PERFORM FROM event_head FOR UPDATE;
    FOR partition IN
        SELECT child.relname FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'events'::regclass AND child.relname ~ '^events_[0-9]{8}$'
          AND to_date(right(child.relname, 8), 'YYYYMMDD') < least(before, current_date - 7)
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        dropped := dropped + 1;
    END LOOP;
    UPDATE event_head SET oldest = coalesce((SELECT min(events.position) FROM events), event_head.position + 1);
    RETURN dropped;
END $$;

-- Positions belong to one server and one timeline of it, and to one table: where any of them is another than the
-- head remembers (failover, restore), positions leap, so that a position never stands for two events.
CREATE FUNCTION adopt_event_head() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here text := (SELECT system_identifier FROM pg_control_system())::text || '/' || 'event_head'::regclass::oid::text;
    line bigint := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
BEGIN
    UPDATE event_head
    SET position = position + CASE WHEN system_id = '' THEN 0 ELSE 4294967296 END, system_id = here, timeline = line
    WHERE (system_id, timeline) IS DISTINCT FROM (here, line);
END $$;

-- The one way into the log. The lock on the head row makes the order of commits the order of positions; whoever waits
-- for it sees, statement by statement, what was committed before. An id that is there already takes no position.
-- windowed: refuse ids whose time is more than 10 minutes ahead or 7 days back. Nested loops, because this plan is
-- made when the log is empty and kept when it is large.
CREATE FUNCTION append_events(
    ids uuid[], types text[], actors text[], workspaces text[], kinds text[], names text[], uids uuid[],
    attempts integer[], seqs bigint[], details text[], windowed boolean
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
    INSERT INTO events (id, position, at, type, actor, workspace, kind, name, uid, attempt, seq, details)
    SELECT fresh.id, start + row_number() OVER (ORDER BY fresh.place), event_time(fresh.id), fresh.type, fresh.actor,
           fresh.workspace, fresh.kind, fresh.name, fresh.uid, fresh.attempt, fresh.seq, fresh.details::jsonb
    FROM (
        SELECT DISTINCT ON (given.id) given.*
        FROM unnest(ids, types, actors, workspaces, kinds, names, uids, attempts, seqs, details) WITH ORDINALITY
             AS given (id, type, actor, workspace, kind, name, uid, attempt, seq, details, place)
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

-- What the API lists and what a vanished object looked like last. The operator writes it after each status write.
CREATE TABLE mirror (
    uid uuid PRIMARY KEY,
    kind text NOT NULL,
    workspace text NOT NULL,
    name text NOT NULL,
    generation bigint NOT NULL,
    resource_version text NOT NULL CHECK (resource_version ~ '^[0-9]{1,30}$'),
    phase text NOT NULL DEFAULT '',
    object jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
-- Not unique: for a moment an object and its vanished namesake may both stand here.
CREATE INDEX mirror_by_name ON mirror (kind, workspace, name, created_at);
CREATE INDEX mirror_by_age ON mirror (kind, created_at, uid) WHERE deleted_at IS NULL;

-- The model gateway's word on an Agent's models; the operator shows it as ModelReady.
CREATE TABLE verdicts (
    agent_uid uuid PRIMARY KEY,
    workspace text NOT NULL,
    agent_name text NOT NULL,
    generation bigint NOT NULL,
    ready boolean NOT NULL,
    reason text NOT NULL,
    message text NOT NULL DEFAULT '',
    checked_at timestamptz NOT NULL DEFAULT now()
);

-- One row per model call.
CREATE TABLE usage (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    workspace text NOT NULL,
    agent_name text NOT NULL,
    job_uid uuid NOT NULL,
    attempt integer NOT NULL,
    alias text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    milliseconds integer NOT NULL,
    streamed boolean NOT NULL,
    outcome text NOT NULL
);
CREATE INDEX usage_of_jobs ON usage (job_uid, attempt);

-- What is too large for an event: a command's whole output.
CREATE TABLE artifacts (
    job_uid uuid NOT NULL,
    attempt integer NOT NULL,
    name text NOT NULL,
    content_type text NOT NULL DEFAULT 'application/octet-stream',
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_uid, attempt, name)
);

-- Each object that other processes want the operator to look at. Handled by deleting the version that was seen;
-- versions never come again, so a repeated delete cannot take away a newer reason.
CREATE SEQUENCE wake_versions;
CREATE TABLE wakes (
    kind text NOT NULL,
    workspace text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL DEFAULT nextval('wake_versions'),
    PRIMARY KEY (kind, workspace, name)
);

-- The cluster's published token keys, so that tokens are verified while the API server is away.
CREATE TABLE issuer_keys (
    issuer text NOT NULL,
    key_id text NOT NULL,
    jwk jsonb NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, key_id)
);

-- What a probe found out about the network of each workspace, per version of ours.
CREATE TABLE enforcement (
    workspace text NOT NULL,
    version text NOT NULL,
    enforced boolean NOT NULL,
    message text NOT NULL DEFAULT '',
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace, version)
);

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
-- Nobody inserts into the log or moves its head directly: append_events does, as the owner.
GRANT EXECUTE ON FUNCTION append_events, adopt_event_head, event_time, event_bound
    TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT EXECUTE ON FUNCTION make_event_days TO coxswain_sidecar;

GRANT USAGE ON SEQUENCE wake_versions TO coxswain_sidecar, coxswain_gateway;
GRANT UPDATE (epoch, holder, since) ON leadership TO coxswain_operator;
GRANT INSERT, UPDATE ON runs, enforcement TO coxswain_operator;
GRANT INSERT, UPDATE ON mirror TO coxswain_operator;
GRANT DELETE ON wakes TO coxswain_operator;

GRANT UPDATE (pod_uid, claimed_at, heartbeat_at, last_seq, highest_seq, acts_open, result, result_at) ON runs TO coxswain_sidecar;
GRANT INSERT ON artifacts TO coxswain_sidecar;
GRANT INSERT, UPDATE ON wakes TO coxswain_sidecar;
GRANT INSERT, UPDATE, DELETE ON issuer_keys TO coxswain_sidecar;

GRANT INSERT ON usage TO coxswain_gateway;
GRANT INSERT, UPDATE ON verdicts, wakes TO coxswain_gateway;
GRANT INSERT, UPDATE, DELETE ON issuer_keys TO coxswain_gateway;
