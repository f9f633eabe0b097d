-- +goose Up

-- When an operator has dismissed a failed, parked or rejected webhook: it needs
-- nobody any more, and may be deleted when it is old. That holds while
-- processed_at is the same: whatever puts a webhook back to work sets it to 0.
ALTER TABLE webhooks ADD COLUMN dismissed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN dismissed_note TEXT NOT NULL DEFAULT '';

-- What needs someone, by what for; and what does not need him any more. With
-- the times in it, nobody who counts has to look into the log.
CREATE INDEX webhooks_unresolved ON webhooks (status, reason, id, dismissed_at, processed_at)
    WHERE status IN ('failed', 'parked', 'rejected') AND (dismissed_at = 0 OR dismissed_at <> processed_at);
CREATE INDEX webhooks_dismissed ON webhooks (id) WHERE dismissed_at <> 0;

-- Addresses that pushes may come from, beside those of the settings.
CREATE TABLE allowed_addresses (
    prefix   TEXT    NOT NULL PRIMARY KEY,
    added_at INTEGER NOT NULL,
    added_by TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Jobs that put webhooks back to work, oldest webhook first. All up to position
-- have been seen to; upto was the newest webhook when the job was made.
CREATE TABLE replays (
    id            TEXT    NOT NULL PRIMARY KEY,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    filter        TEXT    NOT NULL, -- JSON
    rate          INTEGER NOT NULL, -- webhooks a second
    upto          TEXT    NOT NULL,
    position      TEXT    NOT NULL,
    matched       INTEGER NOT NULL, -- that the filter chose when the job was made
    matched_exact INTEGER NOT NULL,
    done          INTEGER NOT NULL,
    skipped       INTEGER NOT NULL,
    held          INTEGER NOT NULL, -- it waits for live pushes
    created_at    INTEGER NOT NULL,
    created_by    TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replays_open ON replays (id) WHERE ended_at = 0;

-- Who does what only one process may do at a time, and until when.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  TEXT    NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was met on the way that no webhook's status tells: statuses that are in
-- no table, pushes that could not be kept. value is what was met, '' if that is
-- nothing to tell.
CREATE TABLE sightings (
    code     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (code, value)
) STRICT, WITHOUT ROWID;
