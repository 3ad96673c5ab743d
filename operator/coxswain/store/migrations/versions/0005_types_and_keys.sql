-- Which Job an idempotency key stands for. A row is there before its Job is made; job_uid says that it was. Rows
-- outlive their Jobs and end by the database's clock.
CREATE TABLE idempotency_keys (
    workspace text NOT NULL,
    key text NOT NULL,
    payload_hash text NOT NULL,
    job_name text NOT NULL,
    job_uid uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO coxswain_sidecar;
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO coxswain_operator;

-- What a report of a workspace counts.
CREATE INDEX runs_by_age ON runs (workspace, created_at);
CREATE INDEX usage_by_age ON usage (workspace, at);
