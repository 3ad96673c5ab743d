-- What people said about Jobs that may start only with their agreement. A word belongs to the spec as it was shown.
CREATE TABLE approvals (
    job_uid uuid NOT NULL,
    approver text NOT NULL,
    hash text NOT NULL,
    approved boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_uid, approver, hash)
);

GRANT SELECT ON approvals TO coxswain_operator, coxswain_sidecar;
GRANT INSERT (job_uid, approver, hash, approved, reason) ON approvals TO coxswain_sidecar;
