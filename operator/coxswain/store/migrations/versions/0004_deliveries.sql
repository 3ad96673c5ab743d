-- The outbox: what is owed to receivers outside, and every try of it.

-- The operator writes a row together with the event of the edge that it tells of. A gateway claims due rows: it gives
-- them a claim of its own and moves due_at behind the time that one try may take, so a row whose gateway died comes
-- due again by itself. A redrive begins another round of tries.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    workspace text NOT NULL,
    job_uid uuid NOT NULL,
    job_name text NOT NULL,
    type text NOT NULL,
    url text NOT NULL,
    host text NOT NULL,
    signing_secret text,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'Pending' CHECK (state IN ('Pending', 'Delivered', 'Dead', 'Skipped')),
    reason text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    claim uuid,
    tries integer NOT NULL DEFAULT 0,
    round_tries integer NOT NULL DEFAULT 0,
    round_at timestamptz
);
CREATE INDEX deliveries_due ON deliveries (host, due_at) WHERE state = 'Pending';
CREATE INDEX deliveries_by_age ON deliveries (created_at, id);
CREATE INDEX deliveries_of_jobs ON deliveries (job_uid);

-- Status, duration and error of each try; never what was sent or answered.
CREATE TABLE delivery_tries (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    status integer,
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (delivery_id, number)
);

GRANT SELECT ON deliveries, delivery_tries TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT INSERT ON deliveries TO coxswain_operator;
GRANT UPDATE (state, reason, due_at, ended_at, claim, tries, round_tries, round_at) ON deliveries TO coxswain_gateway;
GRANT INSERT ON delivery_tries TO coxswain_gateway;
-- A redrive.
GRANT UPDATE (state, reason, due_at, ended_at, claim, round_tries, round_at) ON deliveries TO coxswain_sidecar;
