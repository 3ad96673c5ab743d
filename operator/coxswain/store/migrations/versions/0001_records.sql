-- The first tables: leadership, runs, the event log, the mirror of objects, verdicts, usage, artifacts, wake-ups.
-- Three roles beside the owner; each may do only what its process does. Roles belong to the whole server, so they
-- may be there already.

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

-- One row per attempt, written before its pod is made. The first pod that claims it owns it.
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
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- Append-only, also for the owner: a row of the log is never changed, and goes only with its partition.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the API lists and what a vanished object looked like last. The operator writes it after each status write.
CREATE TABLE mirror (
    uid uuid PRIMARY KEY,
    kind text NOT NULL,
    workspace text NOT NULL,
    name text NOT NULL,
    generation bigint NOT NULL,
    resource_version text NOT NULL,
    phase text NOT NULL DEFAULT '',
    object jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX mirror_live_names ON mirror (kind, workspace, name) WHERE deleted_at IS NULL;
CREATE INDEX mirror_by_age ON mirror (kind, created_at, uid);

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

-- Keys of the keys: each object that other processes want the operator to look at. Read again on reconnect
-- and at each sweep; a key is handled when its version was seen.
CREATE TABLE wakes (
    kind text NOT NULL,
    workspace text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    handled bigint NOT NULL DEFAULT 0,
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

GRANT USAGE ON SCHEMA public TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO coxswain_operator, coxswain_sidecar, coxswain_gateway;

GRANT UPDATE (epoch, holder, since) ON leadership TO coxswain_operator;
GRANT INSERT, UPDATE ON runs TO coxswain_operator;
GRANT INSERT, UPDATE ON mirror TO coxswain_operator;
GRANT INSERT ON events TO coxswain_operator;
GRANT UPDATE ON event_head TO coxswain_operator;
GRANT UPDATE (handled) ON wakes TO coxswain_operator;

GRANT UPDATE (pod_uid, claimed_at, heartbeat_at, last_seq, acts_open, result, result_at) ON runs TO coxswain_sidecar;
GRANT INSERT ON events, artifacts TO coxswain_sidecar;
GRANT UPDATE ON event_head TO coxswain_sidecar;
GRANT INSERT, UPDATE ON wakes, issuer_keys TO coxswain_sidecar;

GRANT INSERT ON usage, events TO coxswain_gateway;
GRANT UPDATE ON event_head TO coxswain_gateway;
GRANT INSERT, UPDATE ON verdicts, wakes, issuer_keys TO coxswain_gateway;
