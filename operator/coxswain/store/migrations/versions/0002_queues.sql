-- The queue of each Job of the mirror, from the object itself, so that rows of before have it too; and an index that
-- lists the Jobs of a queue in the order of pages. The column stands before its index.
ALTER TABLE mirror ADD COLUMN queue text
    GENERATED ALWAYS AS (CASE WHEN kind = 'Job' THEN coalesce(object #>> '{spec,queue}', 'default') END) STORED;
CREATE INDEX mirror_by_queue ON mirror (kind, queue, created_at, uid) WHERE deleted_at IS NULL;
-- The Jobs that wait or run: few beside those that have ended.
CREATE INDEX mirror_unended ON mirror (phase, workspace) WHERE deleted_at IS NULL AND phase IN ('Queued', 'Running');
