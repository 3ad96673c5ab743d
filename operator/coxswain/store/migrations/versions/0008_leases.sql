-- Leases: who has the exclusive right to what. The operator makes a row for each Lease object; rows are never deleted,
-- so that a token counts on when the object is made anew under its name.

-- uid is the object that the row stands for now. line is the server on which the operator last confirmed the row:
-- after a failover or a restore nothing is handed over before it has compared the row with the object. Each token that
-- is given out is larger than token and floor.
CREATE TABLE leases (
    workspace text NOT NULL,
    name text NOT NULL,
    uid uuid NOT NULL,
    removed_at timestamptz,
    resource text NOT NULL,
    ttl_seconds integer NOT NULL CHECK (ttl_seconds > 0),
    steal_after_seconds integer,
    quarantine_seconds integer,
    declared text,
    line text NOT NULL,
    floor bigint NOT NULL DEFAULT 0,
    token bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'Free' CHECK (state IN ('Free', 'Held', 'Expired', 'Quarantined')),
    reason text NOT NULL DEFAULT '',
    holder text,
    job_uid uuid,
    job_name text,
    attempt integer,
    with_run boolean NOT NULL DEFAULT false,
    former_holder text,
    acquired_at timestamptz,
    renewed_at timestamptz,
    expires_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace, name),
    CHECK ((state IN ('Held', 'Quarantined')) = (holder IS NOT NULL))
);
CREATE UNIQUE INDEX leases_of_resources ON leases (workspace, resource) WHERE removed_at IS NULL;
CREATE INDEX leases_by_expiry ON leases (expires_at) WHERE state = 'Held' AND expires_at IS NOT NULL;
CREATE INDEX leases_quarantined ON leases (changed_at) WHERE state = 'Quarantined';
CREATE INDEX leases_of_runs ON leases (job_uid, attempt) WHERE job_uid IS NOT NULL;

-- Who waits for a lease, in the order of place. A ticket that nobody refreshes lapses.
CREATE SEQUENCE lease_places;
CREATE TABLE lease_tickets (
    workspace text NOT NULL,
    name text NOT NULL,
    holder text NOT NULL,
    place bigint NOT NULL DEFAULT nextval('lease_places'),
    job_name text,
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (workspace, name, holder)
);
CREATE INDEX lease_tickets_in_line ON lease_tickets (workspace, name, place);
CREATE INDEX lease_tickets_of_holders ON lease_tickets (workspace, holder);
CREATE INDEX lease_tickets_by_end ON lease_tickets (alive_until);

-- The tokens of the leases that a run was given with its start: whatever it writes is written under them.
ALTER TABLE runs ADD COLUMN leases jsonb NOT NULL DEFAULT '{}';

-- Which server this is, and which timeline of it: as event_head remembers it.
CREATE FUNCTION lease_line() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT system_identifier::text || '/' || 'leases'::regclass::oid::text || '/'
        || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()
$$;

REVOKE EXECUTE ON FUNCTION lease_line FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lease_line TO coxswain_operator, coxswain_sidecar;
GRANT SELECT ON leases, lease_tickets TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT INSERT, UPDATE ON leases TO coxswain_operator;
GRANT UPDATE (state, reason, holder, job_uid, job_name, attempt, with_run, former_holder, token, acquired_at, renewed_at,
    expires_at, changed_at) ON leases TO coxswain_sidecar;
GRANT INSERT, UPDATE, DELETE ON lease_tickets TO coxswain_operator, coxswain_sidecar;
GRANT USAGE ON SEQUENCE lease_places TO coxswain_operator, coxswain_sidecar;
-- Whoever lets go of a lease wakes who waits for it.
GRANT INSERT, UPDATE ON wakes TO coxswain_operator;
GRANT USAGE ON SEQUENCE wake_versions TO coxswain_operator;
