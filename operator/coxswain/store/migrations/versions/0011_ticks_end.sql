-- How ticks of Schedules end: by age, like all records.

-- What is due first, without looking at what is not.
CREATE INDEX ticks_by_end ON ticks (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX schedule_requests_handled ON schedule_requests (handled_at) WHERE handled_at IS NOT NULL;

-- Drop ticks that were settled before then and whose Job has ended, those of Schedules that are gone since before then,
-- requests that were handled before then, and the rows of Schedules of which nothing is left; returns how many. Nothing
-- that is open goes.
CREATE FUNCTION drop_ticks(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bound timestamptz := least(before, now() - interval '1 day');
    dropped integer;
    more integer;
BEGIN
    DELETE FROM ticks WHERE (schedule_uid, id) IN (
        (SELECT schedule_uid, id FROM ticks WHERE settled_at < bound
        AND NOT (outcome = 'Fired' AND job_phase IS NULL) ORDER BY settled_at LIMIT most)
        UNION
        (SELECT ticks.schedule_uid, ticks.id FROM mirror JOIN ticks ON ticks.schedule_uid = mirror.uid
        WHERE mirror.deleted_at < bound AND ticks.settled_at IS NOT NULL LIMIT most));
    GET DIAGNOSTICS dropped = ROW_COUNT;
    DELETE FROM schedule_requests WHERE id IN (
        SELECT id FROM schedule_requests WHERE handled_at < bound ORDER BY handled_at LIMIT most);
    GET DIAGNOSTICS more = ROW_COUNT;
    dropped := dropped + more;
    -- The mirror may have lost the object already: what lives is in it, or has come on since.
    DELETE FROM schedules WHERE schedule_uid IN (
        SELECT standing.schedule_uid FROM schedules AS standing WHERE standing.through < bound
        AND NOT EXISTS (SELECT FROM mirror WHERE mirror.uid = standing.schedule_uid
            AND (mirror.deleted_at IS NULL OR mirror.deleted_at >= bound))
        AND NOT EXISTS (SELECT FROM ticks WHERE ticks.schedule_uid = standing.schedule_uid)
        AND NOT EXISTS (SELECT FROM schedule_requests AS asked WHERE asked.schedule_uid = standing.schedule_uid)
        LIMIT most);
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN dropped + more;
END $$;

REVOKE EXECUTE ON FUNCTION drop_ticks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_ticks TO coxswain_operator;
