-- Large files in a bucket of the installation; how many bytes a run has sent and received; how records end.

-- Every object of the bucket that we ever began to write, from before its first byte until it is gone for good.
-- Writing: somebody is at it. Kept: a row of artifacts names it. Doomed: it is to be deleted, and no row may name it
-- any more. Nothing is deleted from a bucket that stands not here.
CREATE TABLE artifact_objects (
    key text PRIMARY KEY,
    bucket text NOT NULL,
    state text NOT NULL DEFAULT 'Writing' CHECK (state IN ('Writing', 'Kept', 'Doomed')),
    since timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX artifact_objects_loose ON artifact_objects (since) WHERE state <> 'Kept';

-- An artifact is in its row, or in the bucket under a key that stands above.
ALTER TABLE artifacts ALTER COLUMN content DROP NOT NULL;
ALTER TABLE artifacts ADD COLUMN object_key text UNIQUE REFERENCES artifact_objects (key);
ALTER TABLE artifacts ADD CONSTRAINT artifacts_one_place CHECK ((content IS NULL) <> (object_key IS NULL));

-- Bytes that were granted to a run through the web door so far, and how many the last grant was. They only grow.
CREATE TABLE egress_amounts (
    job_uid uuid NOT NULL,
    attempt integer NOT NULL,
    bytes bigint NOT NULL,
    granted bigint NOT NULL,
    PRIMARY KEY (job_uid, attempt)
);

-- What is due first, without looking at what is not.
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mirror_gone ON mirror (deleted_at) WHERE deleted_at IS NOT NULL;

-- Drop callbacks that ended before then, with their tries. One whose Job still lives stays: the Job would be told of
-- once more. A redrive that comes between is seen, since the row itself is looked at again.
CREATE FUNCTION drop_ended_deliveries(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := least(before, now() - interval '1 day');
    due uuid[];
    dropped integer;
BEGIN
    due := ARRAY(
        SELECT id FROM deliveries WHERE ended_at < until AND state <> 'Pending'
        AND NOT EXISTS (SELECT FROM mirror WHERE mirror.uid = deliveries.job_uid AND mirror.deleted_at IS NULL)
        ORDER BY ended_at LIMIT most);
    WITH gone AS (
        DELETE FROM deliveries WHERE id = ANY (due) AND ended_at < until AND state <> 'Pending' RETURNING id),
    tries AS (DELETE FROM delivery_tries USING gone WHERE delivery_id = gone.id)
    SELECT count(*) INTO dropped FROM gone;
    RETURN dropped;
END $$;

-- Drop what is left of objects that are gone since before then and have no open run; returns how many were due.
-- Results go first, then the files that they name, so many at a time, then the object itself.
CREATE FUNCTION drop_gone_objects(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due uuid[];
BEGIN
    due := ARRAY(
        SELECT uid FROM mirror WHERE deleted_at < least(before, now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM runs WHERE runs.job_uid = mirror.uid AND runs.closed_at IS NULL)
        ORDER BY deleted_at LIMIT most);
    DELETE FROM runs WHERE job_uid = ANY (due);
    DELETE FROM egress_amounts WHERE job_uid = ANY (due);
    DELETE FROM approvals WHERE job_uid = ANY (due);
    DELETE FROM asked_calls WHERE job_uid = ANY (due);
    DELETE FROM verdicts WHERE agent_uid = ANY (due);
    WITH gone AS (
        DELETE FROM artifacts WHERE (job_uid, attempt, name) IN (
            SELECT job_uid, attempt, name FROM artifacts WHERE job_uid = ANY (due) LIMIT 50)
        RETURNING object_key)
    UPDATE artifact_objects SET state = 'Doomed', since = now() FROM gone WHERE key = gone.object_key;
    DELETE FROM mirror WHERE uid = ANY (due)
        AND NOT EXISTS (SELECT FROM artifacts WHERE artifacts.job_uid = mirror.uid);
    RETURN cardinality(due);
END $$;

-- Drop rows of model calls from before then: their ids begin with their time.
CREATE FUNCTION drop_usage(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped integer;
BEGIN
    DELETE FROM usage WHERE id IN (
        SELECT id FROM usage WHERE id < event_bound(least(before, now() - interval '1 day')) ORDER BY id LIMIT most);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION drop_ended_deliveries, drop_gone_objects, drop_usage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_ended_deliveries, drop_gone_objects, drop_usage TO coxswain_operator;

GRANT SELECT ON artifact_objects TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT INSERT (key, bucket), UPDATE (state, since, deleted_at), DELETE ON artifact_objects TO coxswain_sidecar;
GRANT SELECT, INSERT, UPDATE ON egress_amounts TO coxswain_gateway;
GRANT SELECT ON egress_amounts TO coxswain_operator, coxswain_sidecar;
