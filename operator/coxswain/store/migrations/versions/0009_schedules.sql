-- Schedules: where each is, its ticks, and what people asked of it. All outlive the objects.

-- Every tick of the trigger up to "through" has its row in ticks. The leader alone writes here, whole rows, so a
-- repeat is harmless; "through" never goes back.
CREATE TABLE schedules (
    schedule_uid uuid PRIMARY KEY,
    workspace text NOT NULL,
    name text NOT NULL,
    trigger text NOT NULL,
    through timestamptz NOT NULL,
    held text NOT NULL DEFAULT '',
    paused boolean NOT NULL DEFAULT false,
    position bigint,
    cooled_at timestamptz,
    fired bigint NOT NULL DEFAULT 0,
    counted bigint NOT NULL DEFAULT 0,
    missed bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    buffered bigint NOT NULL DEFAULT 0,
    overrun bigint NOT NULL DEFAULT 0
);

-- One row per tick, before its Job is made, or one for many in a row that share their outcome. An outcome that is
-- given never changes. job_phase comes when the Job has ended; until then it counts as running.
CREATE TABLE ticks (
    schedule_uid uuid NOT NULL,
    id text NOT NULL,
    source text NOT NULL CHECK (source IN ('Time', 'Event', 'Trigger', 'Backfill')),
    at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    through timestamptz NOT NULL,
    count bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    overlap text,
    cause jsonb NOT NULL DEFAULT '{}',
    outcome text CHECK (outcome IN ('Fired', 'Skipped', 'Missed')),
    reason text NOT NULL DEFAULT '',
    job_name text,
    job_uid uuid,
    job_phase text,
    reply text,
    settled_at timestamptz,
    PRIMARY KEY (schedule_uid, id),
    CHECK ((outcome IS NULL) = (settled_at IS NULL))
);
CREATE INDEX ticks_open ON ticks (schedule_uid, due_at) WHERE outcome IS NULL OR (outcome = 'Fired' AND job_phase IS NULL);
CREATE INDEX ticks_by_time ON ticks (schedule_uid, at, id);
CREATE INDEX ticks_settled ON ticks (schedule_uid, settled_at) WHERE settled_at IS NOT NULL;

-- What people asked: a Job now, the ticks of a past range, to go on after a failure. The id makes a repeat harmless.
CREATE TABLE schedule_requests (
    id uuid PRIMARY KEY,
    schedule_uid uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('Trigger', 'Backfill', 'Continue')),
    since timestamptz,
    until timestamptz,
    overlap text,
    by text NOT NULL,
    why text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz
);
CREATE INDEX schedule_requests_open ON schedule_requests (schedule_uid, at) WHERE handled_at IS NULL;

GRANT SELECT ON schedules, ticks, schedule_requests TO coxswain_operator, coxswain_sidecar;
GRANT INSERT, UPDATE ON schedules, ticks TO coxswain_operator;
GRANT UPDATE (handled_at) ON schedule_requests TO coxswain_operator;
GRANT INSERT (id, schedule_uid, kind, since, until, overlap, by, why) ON schedule_requests TO coxswain_sidecar;
