-- Times are microseconds since 1970 in UTC, 0 where there is none; days are
-- days since 1970. Texts that were not told are ''. Keys are compared byte by
-- byte, whatever the language of the database.

-- +goose Up

-- The log. Its id is a ULID of the time of receipt, so rows lie in the order
-- of their coming and a span of time is a span of ids. Everything indexed
-- begins with the day or with something that only few rows have: an insert
-- touches the pages of today.
CREATE TABLE webhooks (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    day            INTEGER NOT NULL,
    event_id       TEXT    NOT NULL,
    received_at    BIGINT  NOT NULL,
    peer           TEXT    NOT NULL,
    auth           TEXT    NOT NULL,
    flags          TEXT    NOT NULL,
    body_sha256    BYTEA   NOT NULL,
    status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'processed', 'failed', 'duplicate', 'ignored', 'parked', 'rejected')),
    reason         TEXT    NOT NULL,
    result         TEXT    NOT NULL,
    error          TEXT    NOT NULL,
    attempts       INTEGER NOT NULL,
    -- when a pending row may be claimed: its next attempt or, while it is
    -- claimed, the end of its lease
    due_at         BIGINT  NOT NULL,
    lease_holder   TEXT    NOT NULL,
    processed_at   BIGINT  NOT NULL,
    awb            TEXT COLLATE "C" NOT NULL,
    sr_order_id    TEXT    NOT NULL,
    order_number   TEXT    NOT NULL,
    current_status TEXT    NOT NULL,
    order_id       TEXT COLLATE "C" NOT NULL,
    duplicate_of   TEXT    NOT NULL
);

CREATE INDEX webhooks_pending ON webhooks (due_at, id) WHERE status = 'pending';
CREATE INDEX webhooks_leased ON webhooks (lease_holder) WHERE lease_holder <> '';
CREATE INDEX webhooks_odd ON webhooks (status, id) WHERE status NOT IN ('pending', 'processed');
CREATE INDEX webhooks_awb ON webhooks (day, awb);
CREATE INDEX webhooks_order ON webhooks (day, order_id) WHERE order_id <> '';

-- Apart from the log, so that walking the log reads no bodies, and in a
-- partition for every day, so that a day is dropped whole. A ULID begins with
-- the time: a day is a span of ids. What has no partition of its own, and what
-- outlives its day because nobody has resolved it, is in the loose one.
CREATE TABLE webhook_bodies (
    webhook_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    headers    TEXT NOT NULL,
    body       BYTEA -- NULL for duplicates and after erasure
) PARTITION BY RANGE (webhook_id);
CREATE TABLE webhook_bodies_loose PARTITION OF webhook_bodies DEFAULT;

CREATE TABLE webhook_tries (
    webhook_id TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    error      TEXT   NOT NULL
);
CREATE INDEX webhook_tries_webhook ON webhook_tries (webhook_id);

-- How many webhooks there are, so that nobody has to count them. A count is
-- the sum over its slots: transactions of several connections that end at the
-- same time do not wait for each other.
CREATE TABLE webhook_counts (
    day    INTEGER NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    slot   INTEGER NOT NULL,
    n      BIGINT  NOT NULL,
    PRIMARY KEY (day, status, slot)
) WITH (fillfactor = 50);

-- The first row of every event. The key is the day of the event itself, two
-- bytes big-endian, and 14 bytes of the hash of the event id: a repeat,
-- however late, lies beside its original, and inserts stay together in time.
-- Not partitioned: it has to know repeats whatever day they come.
CREATE TABLE event_keys (
    key         BYTEA NOT NULL PRIMARY KEY,
    webhook_id  TEXT COLLATE "C" NOT NULL,
    body_sha256 BYTEA NOT NULL -- its first 16 bytes
);

-- Under which names parked webhooks wait for an order.
CREATE TABLE awaited_names (
    kind       TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    webhook_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, value, webhook_id)
);
CREATE INDEX awaited_names_webhook ON awaited_names (webhook_id);

-- seq is the order's key within the database: evidence of orders that move at
-- the same time lies together.
CREATE SEQUENCE order_seqs;
CREATE TABLE orders (
    seq        BIGINT  NOT NULL PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    number     TEXT    NOT NULL,
    channel_id TEXT    NOT NULL,
    registered INTEGER NOT NULL,
    contact    TEXT    NOT NULL, -- JSON, '' when there is none
    status     TEXT    NOT NULL,
    version    BIGINT  NOT NULL,
    snapshot   TEXT    NOT NULL, -- JSON of the public view
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    erased_at  BIGINT  NOT NULL  -- when personal data was erased
) WITH (fillfactor = 70, toast_tuple_target = 8160);
-- Written with every push. To compress 2.7 KB takes longer (40 µs) than to
-- write the row (25 µs).
ALTER TABLE orders ALTER COLUMN snapshot SET STORAGE EXTERNAL;

CREATE TABLE order_aliases (
    alias     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    order_seq BIGINT NOT NULL
);
CREATE INDEX order_aliases_order ON order_aliases (order_seq);

CREATE TABLE identifiers (
    kind      TEXT COLLATE "C" NOT NULL,
    value     TEXT COLLATE "C" NOT NULL,
    channel   TEXT COLLATE "C" NOT NULL,
    order_seq BIGINT NOT NULL,
    PRIMARY KEY (kind, value, channel)
);
CREATE INDEX identifiers_order ON identifiers (order_seq);

CREATE TABLE readings (
    order_seq          BIGINT  NOT NULL,
    key                BYTEA   NOT NULL,
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
    delivered_at       BIGINT  NOT NULL,
    undelivered_reason TEXT    NOT NULL,
    proof_of_delivery  TEXT    NOT NULL,
    attempts           BIGINT  NOT NULL,
    milestone          TEXT    NOT NULL,
    label              TEXT    NOT NULL,
    raw                TEXT    NOT NULL,
    event_time         BIGINT  NOT NULL,
    time_source        TEXT    NOT NULL,
    processed_at       BIGINT  NOT NULL,
    retold_at          BIGINT  NOT NULL,
    received_at        BIGINT  NOT NULL,
    released           INTEGER NOT NULL,
    registered         INTEGER NOT NULL,
    PRIMARY KEY (order_seq, key)
);

CREATE TABLE scans (
    order_seq   BIGINT NOT NULL,
    key         BYTEA  NOT NULL,
    awb         TEXT   NOT NULL,
    sr_order_id TEXT   NOT NULL,
    maybe_sr    TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    code        TEXT   NOT NULL,
    activity    TEXT   NOT NULL,
    location    TEXT   NOT NULL,
    milestone   TEXT   NOT NULL,
    label       TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (order_seq, key)
);

-- What is believed, beside the snapshot: for look-ups and counting. key is the
-- shipment's name within the evidence, id its public one.
CREATE TABLE shipments (
    order_seq    BIGINT  NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    key          TEXT    NOT NULL,
    sr_order_id  TEXT    NOT NULL,
    direction    TEXT    NOT NULL,
    awb          TEXT    NOT NULL,
    courier      TEXT    NOT NULL,
    milestone    TEXT    NOT NULL,
    eta          TEXT    NOT NULL,
    first_eta    TEXT    NOT NULL,
    delivered_at BIGINT  NOT NULL,
    attempts     BIGINT  NOT NULL,
    corrected    INTEGER NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (order_seq, id)
) WITH (fillfactor = 70);

CREATE TABLE legs (
    order_seq   BIGINT NOT NULL,
    shipment_id TEXT COLLATE "C" NOT NULL,
    awb         TEXT COLLATE "C" NOT NULL,
    kind        TEXT   NOT NULL,
    courier     TEXT   NOT NULL,
    PRIMARY KEY (order_seq, shipment_id, awb)
);

-- What is to be done outside the database; a row goes when it is done. Ids
-- are never used again. What waits for one target is found without walking
-- through what waits for another.
CREATE TABLE effects (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    order_id   TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    payload    TEXT   NOT NULL,
    created_at BIGINT NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE effects ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX effects_kind ON effects (kind, id);

CREATE TABLE meta (
    key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
