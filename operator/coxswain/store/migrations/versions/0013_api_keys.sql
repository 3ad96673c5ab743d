-- Keys of machines. Of the key itself only its hash is kept. Rows stay: who made what is told by them.
CREATE TABLE api_keys (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9]{16}$'),
    name text NOT NULL CHECK (name ~ '^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$'),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    role text NOT NULL CHECK (role IN ('Read', 'Admin')),
    workspaces text[],
    queues text[],
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    last_used_at timestamptz
);
CREATE INDEX api_keys_by_age ON api_keys (made_at, id);

-- What is revoked stays so, whoever asks.
CREATE FUNCTION keep_api_key_revoked() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'key % was revoked, and stays so', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER api_keys_stay_revoked BEFORE UPDATE ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION keep_api_key_revoked();

-- No column of a key may be changed that says who it is or what it may do.
GRANT SELECT ON api_keys TO coxswain_sidecar;
GRANT INSERT (id, name, secret_hash, role, workspaces, queues, made_by, expires_at) ON api_keys TO coxswain_sidecar;
GRANT UPDATE (revoked_at, revoked_by, last_used_at) ON api_keys TO coxswain_sidecar;
