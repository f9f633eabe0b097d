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

-- What pushes said, one row for each that said something new: JSON of the
-- readings and scans that it added or changed, as the order has them then. All
-- rows of an order together are its evidence, in any order.
CREATE TABLE evidence (
    order_seq BIGINT NOT NULL,
    data      TEXT   NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE evidence ALTER COLUMN data SET STORAGE EXTERNAL;

INSERT INTO evidence (order_seq, data)
SELECT order_seq, json_build_object('readings', json_build_array(json_build_object(
            'key', encode(key, 'hex'), 'awb', awb, 'returnAwb', return_awb, 'sr', sr_order_id, 'maybeSr', maybe_sr, 'number', number,
            'channel', channel_id, 'forwardRef', forward_ref, 'direction', direction, 'courier', courier,
            'eta', eta, 'deliveredAt', delivered_at, 'undelivered', undelivered_reason, 'pod', proof_of_delivery,
            'attempts', attempts, 'milestone', milestone, 'label', label, 'raw', raw, 'at', event_time,
            'timeFrom', time_source, 'processedAt', processed_at, 'retoldAt', retold_at,
            'receivedAt', received_at, 'released', released = 1, 'registered', registered = 1)))::text
FROM readings;

INSERT INTO evidence (order_seq, data)
SELECT order_seq, json_build_object('scans', json_build_array(json_build_object(
            'key', encode(key, 'hex'), 'awb', awb, 'sr', sr_order_id, 'maybeSr', maybe_sr, 'number', number, 'at', at, 'code', code,
            'activity', activity, 'location', location, 'milestone', milestone, 'label', label,
            'position', position)))::text
FROM scans;

CREATE INDEX evidence_order ON evidence (order_seq);

DROP TABLE readings;
DROP TABLE scans;
DROP TABLE legs;

-- What watchers see follows from the evidence. rev rises whenever anything
-- about the order is written.
ALTER TABLE orders DROP COLUMN snapshot;
ALTER TABLE orders ADD COLUMN shown_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
UPDATE orders SET shown_at = updated_at;

-- An effect holds several updates, as a list.
ALTER TABLE effects DROP COLUMN order_id;
ALTER TABLE effects DROP COLUMN version;
UPDATE effects SET payload = '[' || payload || ']';

-- The key of an event begins with its minute now, four bytes, and no longer
-- with its day: inserts stay closer together. Those from before cannot be made
-- anew of what is kept; repeats of such events are applied again, and found to
-- say nothing new.
DELETE FROM event_keys;
