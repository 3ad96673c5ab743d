-- What comes in from outside for Schedules: gateways record it, the operator alone makes something of it.

-- One row per delivery, until some time after the operator has handled it. What became of it is in its tick.
CREATE TABLE triggers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    schedule_uid uuid NOT NULL,
    workspace text NOT NULL,
    schedule_name text NOT NULL,
    source text NOT NULL CHECK (source IN ('Webhook', 'Poll')),
    delivery_id text NOT NULL,
    digest text NOT NULL,
    body text,
    received_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz
);
CREATE INDEX triggers_open ON triggers (schedule_uid, received_at, id) WHERE handled_at IS NULL;
CREATE INDEX triggers_handled ON triggers (handled_at) WHERE handled_at IS NOT NULL;

-- What a delivery is known again by: its id, or the digest of its body. Whoever comes first under a key is taken.
CREATE TABLE known_deliveries (
    schedule_uid uuid NOT NULL,
    key text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (schedule_uid, key)
);
CREATE INDEX known_deliveries_by_end ON known_deliveries (until);

-- One row per Schedule that polls. A gateway claims a due row and moves due_at behind the time that one look may take,
-- so a row whose gateway died comes due again by itself.
CREATE TABLE polls (
    schedule_uid uuid PRIMARY KEY,
    generation bigint NOT NULL DEFAULT 0,
    url text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL DEFAULT now(),
    claim uuid,
    failures integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    checked_at timestamptz
);
CREATE INDEX polls_due ON polls (due_at);
CREATE INDEX mirror_polls ON mirror (uid)
    WHERE kind = 'Schedule' AND deleted_at IS NULL AND object #> '{spec,poll}' IS NOT NULL;

-- Drop what was handled more than a day ago, and what nobody will handle since its Schedule is gone for as long.
CREATE FUNCTION drop_done_triggers(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped integer;
BEGIN
    DELETE FROM triggers WHERE id IN (
        SELECT id FROM triggers WHERE handled_at < now() - interval '1 day' ORDER BY handled_at LIMIT most);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    DELETE FROM triggers USING mirror WHERE triggers.handled_at IS NULL
        AND mirror.uid = triggers.schedule_uid AND mirror.deleted_at < now() - interval '1 day';
    RETURN dropped;
END $$;
REVOKE EXECUTE ON FUNCTION drop_done_triggers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_done_triggers TO coxswain_gateway;

-- A tick comes from outside too.
ALTER TABLE ticks DROP CONSTRAINT ticks_source_check;
ALTER TABLE ticks ADD CONSTRAINT ticks_source_check
    CHECK (source IN ('Time', 'Event', 'Webhook', 'Poll', 'Trigger', 'Backfill'));

-- A gateway cannot read what came in, nor say when. Nobody of us reads bodies.
GRANT SELECT (schedule_uid, handled_at) ON triggers TO coxswain_gateway;
GRANT INSERT (schedule_uid, workspace, schedule_name, source, delivery_id, digest, body) ON triggers TO coxswain_gateway;
GRANT SELECT, INSERT, UPDATE (until), DELETE ON known_deliveries TO coxswain_gateway;
GRANT SELECT, INSERT (schedule_uid), DELETE ON polls TO coxswain_gateway;
GRANT UPDATE (generation, url, digest, due_at, claim, failures, error, checked_at) ON polls TO coxswain_gateway;
GRANT SELECT (id, schedule_uid, source, delivery_id, digest, received_at, handled_at) ON triggers TO coxswain_operator;
GRANT UPDATE (handled_at) ON triggers TO coxswain_operator;
GRANT SELECT ON polls TO coxswain_operator, coxswain_sidecar;
