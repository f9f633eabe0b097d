-- +goose Up

-- What has a reason that few rows have is found without walking through all the
-- others. Rows that repeat or say nothing new are many, and need no index.
CREATE INDEX webhooks_reason ON webhooks (reason, id)
    WHERE reason NOT IN ('', 'nothing_new', 'same_event', 'ping');
