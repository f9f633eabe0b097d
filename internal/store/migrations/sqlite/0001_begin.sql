-- Times are microseconds since 1970 in UTC, 0 where there is none; days are
-- days since 1970. Texts that were not told are ''.

-- +goose Up

-- The log. Its id is a ULID of the time of receipt, so rows lie in the order
-- of their coming and a span of time is a span of ids. Everything indexed
-- begins with the day or with something that only few rows have: an insert
-- touches the pages of today.
CREATE TABLE webhooks (
    id             TEXT    NOT NULL PRIMARY KEY,
    day            INTEGER NOT NULL,
    event_id       TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    peer           TEXT    NOT NULL,
    auth           TEXT    NOT NULL,
    flags          TEXT    NOT NULL,
    body_sha256    BLOB    NOT NULL,
    status         TEXT    NOT NULL CHECK (status IN ('pending', 'processed', 'failed', 'duplicate', 'ignored', 'parked', 'rejected')),
    reason         TEXT    NOT NULL,
    result         TEXT    NOT NULL,
    error          TEXT    NOT NULL,
    attempts       INTEGER NOT NULL,
    -- when a pending row may be claimed: its next attempt or, while it is
    -- claimed, the end of its lease
    due_at         INTEGER NOT NULL,
    lease_holder   TEXT    NOT NULL,
    processed_at   INTEGER NOT NULL,
    awb            TEXT    NOT NULL,
    sr_order_id    TEXT    NOT NULL,
    order_number   TEXT    NOT NULL,
    current_status TEXT    NOT NULL,
    order_id       TEXT    NOT NULL,
    duplicate_of   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_pending ON webhooks (due_at, id) WHERE status = 'pending';
CREATE INDEX webhooks_leased ON webhooks (lease_holder) WHERE lease_holder <> '';
CREATE INDEX webhooks_odd ON webhooks (status, id) WHERE status NOT IN ('pending', 'processed');
CREATE INDEX webhooks_awb ON webhooks (day, awb);
CREATE INDEX webhooks_order ON webhooks (day, order_id) WHERE order_id <> '';

-- Apart from the log, so that walking the log reads no bodies.
CREATE TABLE webhook_bodies (
    webhook_id TEXT NOT NULL PRIMARY KEY,
    headers    TEXT NOT NULL,
    body       BLOB -- NULL for duplicates and after erasure
) STRICT;

CREATE TABLE webhook_tries (
    webhook_id TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    error      TEXT    NOT NULL
) STRICT;
CREATE INDEX webhook_tries_webhook ON webhook_tries (webhook_id);

-- How many webhooks there are, so that nobody has to count them.
CREATE TABLE webhook_counts (
    day    INTEGER NOT NULL,
    status TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (day, status)
) STRICT, WITHOUT ROWID;

-- The first row of every event. The key is the day of the event itself, two
-- bytes big-endian, and 14 bytes of the hash of the event id: a repeat,
-- however late, lies beside its original, and inserts stay together in time.
CREATE TABLE event_keys (
    key         BLOB NOT NULL PRIMARY KEY,
    webhook_id  TEXT NOT NULL,
    body_sha256 BLOB NOT NULL -- its first 16 bytes
) STRICT, WITHOUT ROWID;

-- Under which names parked webhooks wait for an order.
CREATE TABLE awaited_names (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    PRIMARY KEY (kind, value, webhook_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_names_webhook ON awaited_names (webhook_id);

-- seq is the order's key within the database: evidence of orders that move at
-- the same time lies together.
CREATE TABLE orders (
    seq        INTEGER NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    number     TEXT    NOT NULL,
    channel_id TEXT    NOT NULL,
    registered INTEGER NOT NULL,
    contact    TEXT    NOT NULL, -- JSON, '' when there is none
    status     TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    snapshot   TEXT    NOT NULL, -- JSON of the public view
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    erased_at  INTEGER NOT NULL  -- when personal data was erased
) STRICT;

CREATE TABLE order_aliases (
    alias     TEXT    NOT NULL PRIMARY KEY,
    order_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX order_aliases_order ON order_aliases (order_seq);

CREATE TABLE identifiers (
    kind      TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    channel   TEXT    NOT NULL,
    order_seq INTEGER NOT NULL,
    PRIMARY KEY (kind, value, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_order ON identifiers (order_seq);

CREATE TABLE readings (
    order_seq          INTEGER NOT NULL,
    key                BLOB    NOT NULL,
    awb                TEXT    NOT NULL,
    return_awb         TEXT    NOT NULL,
    sr_order_id        TEXT    NOT NULL,
    maybe_sr           TEXT    NOT NULL,
    number             TEXT    NOT NULL,
    channel_id         TEXT    NOT NULL,
    forward_ref        TEXT    NOT NULL,
    direction          TEXT    NOT NULL,
    courier            TEXT    NOT NULL,
    eta                TEXT    NOT NULL,
    delivered_at       INTEGER NOT NULL,
    undelivered_reason TEXT    NOT NULL,
    proof_of_delivery  TEXT    NOT NULL,
    attempts           INTEGER NOT NULL,
    milestone          TEXT    NOT NULL,
    label              TEXT    NOT NULL,
    raw                TEXT    NOT NULL,
    event_time         INTEGER NOT NULL,
    time_source        TEXT    NOT NULL,
    processed_at       INTEGER NOT NULL,
    retold_at          INTEGER NOT NULL,
    received_at        INTEGER NOT NULL,
    released           INTEGER NOT NULL,
    registered         INTEGER NOT NULL,
    PRIMARY KEY (order_seq, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE scans (
    order_seq   INTEGER NOT NULL,
    key         BLOB    NOT NULL,
    awb         TEXT    NOT NULL,
    sr_order_id TEXT    NOT NULL,
    maybe_sr    TEXT    NOT NULL,
    number      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    code        TEXT    NOT NULL,
    activity    TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    milestone   TEXT    NOT NULL,
    label       TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    PRIMARY KEY (order_seq, key)
) STRICT, WITHOUT ROWID;

-- What is believed, beside the snapshot: for look-ups and counting. key is the
-- shipment's name within the evidence, id its public one.
CREATE TABLE shipments (
    order_seq    INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    sr_order_id  TEXT    NOT NULL,
    direction    TEXT    NOT NULL,
    awb          TEXT    NOT NULL,
    courier      TEXT    NOT NULL,
    milestone    TEXT    NOT NULL,
    eta          TEXT    NOT NULL,
    first_eta    TEXT    NOT NULL,
    delivered_at INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    corrected    INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (order_seq, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE legs (
    order_seq   INTEGER NOT NULL,
    shipment_id TEXT    NOT NULL,
    awb         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    courier     TEXT    NOT NULL,
    PRIMARY KEY (order_seq, shipment_id, awb)
) STRICT, WITHOUT ROWID;

-- What is to be done outside the database; a row goes when it is done. Ids
-- are never used again.
CREATE TABLE effects (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    order_id   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    payload    TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
