-- What can be switched while everything runs, and with what each process runs. A flag that is null is as the setting says.
CREATE TABLE flags (
    name text PRIMARY KEY,
    is_on boolean,
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    changed_by text,
    changed_at timestamptz
);
INSERT INTO flags (name) VALUES ('demoProvider'), ('schedulesEnabled');

-- A row counts as long as it is renewed. Each login sees and writes its own; the API sees all.
CREATE TABLE running_processes (
    login name NOT NULL DEFAULT current_user,
    process text NOT NULL,
    instance text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    settings jsonb NOT NULL,
    PRIMARY KEY (login, process, instance)
);
ALTER TABLE running_processes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON running_processes USING (login = current_user) WITH CHECK (login = current_user);
CREATE POLICY all_for_the_api ON running_processes FOR SELECT TO coxswain_sidecar USING (true);

GRANT SELECT ON flags TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT UPDATE (is_on, version, changed_by, changed_at) ON flags TO coxswain_sidecar;
GRANT SELECT, DELETE ON running_processes TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
GRANT INSERT (process, instance, settings), UPDATE (started_at, seen_at, settings) ON running_processes
    TO coxswain_operator, coxswain_sidecar, coxswain_gateway;
