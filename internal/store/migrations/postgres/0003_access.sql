-- +goose Up

-- Who may ask. Of the secret only its SHA-256 is kept. Revoked and expired
-- tokens stay: the audit names them.
CREATE TABLE tokens (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    role         TEXT   NOT NULL CHECK (role IN ('admin', 'viewer', 'shop')),
    hash         BYTEA  NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL, -- 0: never
    revoked_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX tokens_live ON tokens (expires_at) WHERE revoked_at = 0;

-- What operators did. The id is a ULID of the time, so rows lie in the order
-- of their coming and a span of time is a span of ids. Rows are added, never
-- changed.
CREATE TABLE audit (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL,
    token_id TEXT   NOT NULL, -- '' for ADMIN_TOKEN and the command line
    actor    TEXT   NOT NULL,
    role     TEXT   NOT NULL,
    act      TEXT COLLATE "C" NOT NULL,
    subject  TEXT   NOT NULL,
    detail   TEXT   NOT NULL,
    peer     TEXT   NOT NULL,
    outcome  TEXT   NOT NULL
);
CREATE INDEX audit_act ON audit (act, id);
