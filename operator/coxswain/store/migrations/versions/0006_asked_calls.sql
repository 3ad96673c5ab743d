-- Calls of tools that people have to agree to. The hash stands for attempt, tool and arguments; what people said of it
-- is in approvals. Ended once, under the row's lock, and for good.
CREATE TABLE asked_calls (
    job_uid uuid NOT NULL,
    attempt integer NOT NULL,
    hash text NOT NULL,
    tool text NOT NULL,
    arguments text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    until timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'ApprovalPending',
    message text NOT NULL DEFAULT '',
    ended_at timestamptz,
    PRIMARY KEY (job_uid, hash)
);
CREATE INDEX asked_calls_pending ON asked_calls (until) WHERE state = 'ApprovalPending';

GRANT SELECT ON asked_calls TO coxswain_operator, coxswain_sidecar;
GRANT INSERT (job_uid, attempt, hash, tool, arguments, until) ON asked_calls TO coxswain_sidecar;
GRANT UPDATE (state, message, ended_at) ON asked_calls TO coxswain_sidecar;

-- Finds the runs that ended in a span of time: what a killed egress gateway left open is looked for among these.
CREATE INDEX runs_by_end ON runs (closed_at) WHERE closed_at IS NOT NULL;
