-- +goose Up

-- When an operator has dismissed a failed, parked or rejected webhook: it needs
-- nobody any more, and may be deleted when it is old. That holds while
-- processed_at is the same: whatever puts a webhook back to work sets it to 0.
ALTER TABLE webhooks ADD COLUMN dismissed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN dismissed_note TEXT NOT NULL DEFAULT '';

-- What needs someone, by what for; and what does not need him any more.
CREATE INDEX webhooks_unresolved ON webhooks (status, reason, id)
    WHERE status IN ('failed', 'parked', 'rejected') AND (dismissed_at = 0 OR dismissed_at <> processed_at);
CREATE INDEX webhooks_dismissed ON webhooks (id) WHERE dismissed_at <> 0;

-- Addresses that pushes may come from, beside those of the settings.
CREATE TABLE allowed_addresses (
    prefix   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    added_at BIGINT  NOT NULL,
    added_by TEXT    NOT NULL
);

-- Jobs that put webhooks back to work, oldest webhook first. All up to position
-- have been seen to; upto was the newest webhook when the job was made.
CREATE TABLE replays (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    filter        TEXT    NOT NULL, -- JSON
    rate          INTEGER NOT NULL, -- webhooks a second
    upto          TEXT COLLATE "C" NOT NULL,
    position      TEXT COLLATE "C" NOT NULL,
    matched       BIGINT  NOT NULL, -- that the filter chose when the job was made
    matched_exact INTEGER NOT NULL,
    done          BIGINT  NOT NULL,
    skipped       BIGINT  NOT NULL,
    held          INTEGER NOT NULL, -- it waits for live pushes
    created_at    BIGINT  NOT NULL,
    created_by    TEXT    NOT NULL,
    started_at    BIGINT  NOT NULL,
    ended_at      BIGINT  NOT NULL
);
CREATE INDEX replays_open ON replays (id) WHERE ended_at = 0;

-- Who does what only one process may do at a time, and until when.
CREATE TABLE leases (
    name    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder  TEXT    NOT NULL,
    ends_at BIGINT  NOT NULL
);

-- What was met on the way that no webhook's status tells: statuses that are in
-- no table, pushes that could not be kept. value is what was met, '' if that is
-- nothing to tell.
CREATE TABLE sightings (
    code     TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    n        BIGINT  NOT NULL,
    first_at BIGINT  NOT NULL,
    last_at  BIGINT  NOT NULL,
    PRIMARY KEY (code, value)
);
