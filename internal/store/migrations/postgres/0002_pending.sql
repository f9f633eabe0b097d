-- +goose Up

-- What is to be worked off, apart from the log: the log's rows are wide and
-- indexed, and are written once when they come and once when they are done.
-- holder is the process that has the row in its memory, '' if none has.
CREATE TABLE pending (
    webhook_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_at     BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL, -- that failed, or that a process did not survive
    holder     TEXT COLLATE "C" NOT NULL
);

INSERT INTO pending (webhook_id, due_at, attempts, holder)
SELECT id, CASE WHEN lease_holder = '' THEN due_at ELSE received_at END, attempts, ''
FROM webhooks
WHERE status = 'pending';

CREATE INDEX pending_fresh ON pending (due_at, webhook_id) WHERE holder = '' AND attempts = 0;
CREATE INDEX pending_tried ON pending (due_at, webhook_id) WHERE holder = '' AND attempts > 0;

-- The processes that hold rows, and which of those they are working on: a row
-- whose process dies of it has had an attempt.
CREATE TABLE holders (
    holder  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    working TEXT   NOT NULL -- ids of webhooks, with blanks between
) WITH (fillfactor = 50);

DROP INDEX webhooks_pending;
DROP INDEX webhooks_leased;
ALTER TABLE webhooks DROP COLUMN lease_holder;
