-- The audit log: who asked for what, and what came of it. Rows are only ever added; the leader seals them in batches whose
-- digests form one chain per workspace with signed links. docs/audit.md has the form that is signed.

-- The digest of a row covers every column but seal and place, which say where it was sealed. Time is the database's.
CREATE TABLE audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    workspace text NOT NULL DEFAULT '' CHECK (length(workspace) <= 253),
    actor_kind text NOT NULL CHECK (length(actor_kind) <= 64),
    actor_name text NOT NULL CHECK (length(actor_name) <= 1024),
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 128),
    outcome text NOT NULL CHECK (outcome IN ('begun', 'done', 'denied', 'failed')),
    begun_by uuid,
    object_kind text NOT NULL DEFAULT '' CHECK (length(object_kind) <= 64),
    object_name text NOT NULL DEFAULT '' CHECK (length(object_name) <= 1024),
    object_uid text NOT NULL DEFAULT '' CHECK (length(object_uid) <= 64),
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 4096),
    request_id text NOT NULL DEFAULT '' CHECK (length(request_id) <= 64),
    hashes jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(hashes::text) <= 4096),
    details jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(details::text) <= 8192),
    seal bigint,
    place integer
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_of_workspace ON audit (workspace, at, id);
CREATE INDEX audit_of_actor ON audit (actor_name, at, id);
CREATE INDEX audit_of_object ON audit (object_name, at, id);
CREATE UNIQUE INDEX audit_sealed ON audit (workspace, seal, place) WHERE seal IS NOT NULL;
-- What waits to be sealed: a row that is committed late stands here all the same, whatever its time.
CREATE INDEX audit_unsealed ON audit (workspace, at, id) WHERE seal IS NULL;

-- The chain: previous is the digest of the seal before, root the digest over the rows' digests in the order of place.
-- server tells databases apart, so that a restore is seen. A seal whose rows were dropped stays.
CREATE TABLE audit_seals (
    workspace text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    installation text NOT NULL,
    previous text NOT NULL,
    rows integer NOT NULL CHECK (rows > 0),
    root text NOT NULL,
    sealed_at timestamptz NOT NULL,
    server text NOT NULL,
    key_id text NOT NULL,
    digest text NOT NULL,
    signature text NOT NULL,
    dropped_at timestamptz,
    PRIMARY KEY (workspace, number)
);

-- Public keys by id, for people to fetch and keep elsewhere. What is verified is never verified with these.
CREATE TABLE audit_keys (
    key_id text PRIMARY KEY,
    public_key text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- Append-only, also for the owner: a row gets its seal once, and goes only after its seal says that it was dropped.
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.seal IS NULL AND to_jsonb(OLD) - '{seal,place}'::text[] = to_jsonb(NEW) - '{seal,place}'::text[] THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM FROM audit_seals
        WHERE workspace = OLD.workspace AND number = OLD.seal AND dropped_at IS NOT NULL;
        IF FOUND THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_audit();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keep_audit();

CREATE FUNCTION keep_audit_seals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.dropped_at IS NULL AND to_jsonb(OLD) - 'dropped_at' = to_jsonb(NEW) - 'dropped_at' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION keep_audit_seals();
CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_seals();

-- Events that are acts of somebody have a row here too, written with the event: calls of tools, what the web door
-- refused, agreement that was asked for and what came of it, and leases that changed hands. What a call was given and
-- what came out is kept as a hash: the program's own over the whole, or ours over what the event shows.
CREATE FUNCTION audit_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said text := coalesce(NEW.details ->> 'arguments', NEW.details ->> 'text');
    hash text := coalesce(left(NEW.details ->> 'sha256', 64), encode(sha256(convert_to(said, 'UTF8')), 'hex'));
    shown text[] := '{id,name,tool,state,code,host,port,outcome,token,holder,formerHolder,resource}';
BEGIN
    INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, object_name, object_uid,
                       reason, hashes, details)
    SELECT NEW.id, NEW.workspace, left(split_part(NEW.actor, ':', 1), 64),
           left(substr(NEW.actor, length(split_part(NEW.actor, ':', 1)) + 2), 1024), NEW.type,
           CASE
               WHEN NEW.type IN ('run.tool_call', 'run.approval.asked') THEN 'begun'
               WHEN NEW.type = 'run.egress.refused' THEN 'denied'
               WHEN NEW.type = 'run.tool_result' AND NEW.details ->> 'outcome' IS DISTINCT FROM 'ok' THEN 'failed'
               WHEN NEW.type = 'run.approval.ended' AND NEW.details ->> 'state' IS DISTINCT FROM 'Approved' THEN 'denied'
               ELSE 'done'
           END,
           left(NEW.kind, 64), left(NEW.name, 1024), coalesce(NEW.uid::text, ''),
           left(coalesce(CASE WHEN NEW.type LIKE 'lease.%' THEN NEW.details ->> 'reason' END, ''), 4096),
           CASE
               WHEN NEW.type = 'run.tool_call' THEN jsonb_build_object('arguments', hash)
               WHEN NEW.type = 'run.tool_result' THEN jsonb_build_object('result', hash)
               WHEN NEW.details ? 'hash' THEN jsonb_build_object('call', left(NEW.details ->> 'hash', 64))
               ELSE '{}'
           END,
           coalesce(jsonb_object_agg(given.key, left(given.value, 100)) FILTER (WHERE given.value IS NOT NULL), '{}')
               || CASE WHEN NEW.attempt IS NULL THEN '{}' ELSE jsonb_build_object('attempt', NEW.attempt) END
    FROM jsonb_each_text(NEW.details) AS given
    WHERE given.key = ANY (shown)
    ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER events_audited AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.type IN ('run.tool_call', 'run.tool_result', 'run.egress.refused', 'run.approval.asked',
                       'run.approval.ended', 'lease.acquired', 'lease.released', 'lease.reclaimed'))
    EXECUTE FUNCTION audit_event();

-- Add the next seal of a workspace over these rows, in this order. Refused unless it goes on where the chain ends and
-- every row was unsealed.
CREATE FUNCTION seal_audit(
    of_workspace text, next bigint, of_installation text, former text, sealed_root text, at timestamptz, on_server text,
    with_key text, sealed_digest text, signed text, ids uuid[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_rows integer;
BEGIN
    IF next > 1 AND NOT EXISTS (
        SELECT FROM audit_seals WHERE workspace = of_workspace AND number = next - 1 AND digest = former) THEN
        RAISE EXCEPTION 'seal % does not follow', next USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO audit_seals (workspace, number, installation, previous, rows, root, sealed_at, server, key_id, digest,
                             signature)
    VALUES (of_workspace, next, of_installation, former, cardinality(ids), sealed_root, at, on_server, with_key,
            sealed_digest, signed);
    UPDATE audit SET seal = next, place = given.place
    FROM unnest(ids) WITH ORDINALITY AS given (id, place)
    WHERE audit.id = given.id AND audit.seal IS NULL AND audit.workspace = of_workspace;
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    IF found_rows <> cardinality(ids) THEN
        RAISE EXCEPTION 'a row of seal % was sealed meanwhile', next USING ERRCODE = 'serialization_failure';
    END IF;
END $$;

-- Drop the rows of whole seals from before then, oldest first, at most so many seals; returns how many rows went. The
-- seals stay, and a row of the log says which of them were emptied.
CREATE FUNCTION drop_audit(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until timestamptz := least(before, now() - interval '1 day');
    due record;
    gone integer;
    dropped integer := 0;
BEGIN
    FOR due IN
        SELECT workspace, min(number) AS first, max(number) AS last FROM (
            SELECT workspace, number FROM audit_seals old
            WHERE dropped_at IS NULL AND sealed_at < until AND NOT EXISTS (
                SELECT FROM audit_seals kept
                WHERE kept.workspace = old.workspace AND kept.number < old.number AND kept.sealed_at >= until)
            ORDER BY workspace, number LIMIT most) AS oldest
        GROUP BY workspace
    LOOP
        UPDATE audit_seals SET dropped_at = now()
        WHERE workspace = due.workspace AND number BETWEEN due.first AND due.last AND dropped_at IS NULL;
        DELETE FROM audit WHERE workspace = due.workspace AND seal BETWEEN due.first AND due.last;
        GET DIAGNOSTICS gone = ROW_COUNT;
        dropped := dropped + gone;
        INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, object_kind, details)
        VALUES (gen_random_uuid(), due.workspace, 'operator', '', 'drop_audit', 'done', 'Seal',
                jsonb_build_object('first', due.first, 'last', due.last, 'rows', gone));
    END LOOP;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION keep_audit, keep_audit_seals, audit_event, seal_audit, drop_audit FROM PUBLIC;
GRANT SELECT ON audit, audit_seals, audit_keys TO coxswain_operator, coxswain_sidecar;
-- Not its time, nor its seal: these are the database's. Rows of events are written by the owner.
GRANT INSERT (id, workspace, actor_kind, actor_name, action, outcome, begun_by, object_kind, object_name, object_uid,
              reason, request_id, hashes, details) ON audit TO coxswain_sidecar;
GRANT INSERT ON audit_keys TO coxswain_operator;
GRANT EXECUTE ON FUNCTION seal_audit, drop_audit TO coxswain_operator;
