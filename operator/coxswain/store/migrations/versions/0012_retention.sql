-- Files of objects that are gone end in pieces that fit into a statement's time; then the objects do.

-- Drop files of objects that are gone since before then and have no open run, results that name them first; returns
-- how many went. They end with the one that makes so many bytes in rows full; 50 at most.
CREATE FUNCTION drop_gone_files(before timestamptz, most_bytes bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due uuid[];
    dropped integer;
BEGIN
    due := ARRAY(
        SELECT uid FROM mirror WHERE deleted_at < least(before, now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM runs WHERE runs.job_uid = mirror.uid AND runs.closed_at IS NULL)
        AND EXISTS (SELECT FROM artifacts WHERE artifacts.job_uid = mirror.uid)
        ORDER BY deleted_at LIMIT 50);
    DELETE FROM runs WHERE job_uid = ANY (due);
    WITH first AS (
        SELECT job_uid, attempt, name, CASE WHEN content IS NULL THEN 0 ELSE bytes END AS held
        FROM artifacts WHERE job_uid = ANY (due) ORDER BY job_uid, attempt, name LIMIT 50),
    ahead AS (
        SELECT job_uid, attempt, name, sum(held) OVER (ORDER BY job_uid, attempt, name) - held AS before_it FROM first),
    gone AS (
        DELETE FROM artifacts WHERE (job_uid, attempt, name) IN (
            SELECT job_uid, attempt, name FROM ahead WHERE before_it < greatest(most_bytes, 1))
        RETURNING object_key),
    doomed AS (
        UPDATE artifact_objects SET state = 'Doomed', since = now() FROM gone WHERE key = gone.object_key)
    SELECT count(*) INTO dropped FROM gone;
    RETURN dropped;
END $$;

-- Drop what else is left of objects that are gone since before then and have neither an open run nor a file; returns
-- how many went. The object's own row goes last: it leads to all the others.
CREATE OR REPLACE FUNCTION drop_gone_objects(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due uuid[];
    dropped integer;
BEGIN
    due := ARRAY(
        SELECT uid FROM mirror WHERE deleted_at < least(before, now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM runs WHERE runs.job_uid = mirror.uid AND runs.closed_at IS NULL)
        AND NOT EXISTS (SELECT FROM artifacts WHERE artifacts.job_uid = mirror.uid)
        ORDER BY deleted_at LIMIT most);
    DELETE FROM runs WHERE job_uid = ANY (due);
    DELETE FROM egress_amounts WHERE job_uid = ANY (due);
    DELETE FROM approvals WHERE job_uid = ANY (due);
    DELETE FROM asked_calls WHERE job_uid = ANY (due);
    DELETE FROM verdicts WHERE agent_uid = ANY (due);
    DELETE FROM mirror WHERE uid = ANY (due);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION drop_gone_files FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_gone_files TO coxswain_operator;
