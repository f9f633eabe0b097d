CREATE TABLE webhook_logs (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     TEXT        NOT NULL UNIQUE,
    awb          TEXT,
    status       TEXT        NOT NULL DEFAULT 'pending',
    payload      JSONB       NOT NULL,
    error        TEXT,
    attempts     INTEGER     NOT NULL DEFAULT 0,
    received_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    processed_at TIMESTAMPTZ
);
CREATE INDEX webhook_logs_status ON webhook_logs (status);
CREATE INDEX webhook_logs_received ON webhook_logs (received_at);
CREATE INDEX webhook_logs_awb ON webhook_logs (awb);

CREATE TABLE orders (
    id                 TEXT        PRIMARY KEY,
    order_number       TEXT        NOT NULL UNIQUE,
    awb                TEXT        UNIQUE,
    courier_name       TEXT,
    current_status     TEXT,
    order_status       TEXT,
    estimated_delivery TIMESTAMPTZ,
    version            INTEGER     NOT NULL DEFAULT 0,
    created_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at         TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE tracking_history (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    TEXT        NOT NULL REFERENCES orders,
    occurred_at TIMESTAMPTZ NOT NULL,
    status      TEXT        NOT NULL,
    activity    TEXT        NOT NULL,
    location    TEXT        NOT NULL,
    UNIQUE (order_id, occurred_at, status, activity)
);
