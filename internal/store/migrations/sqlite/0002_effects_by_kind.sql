-- +goose Up

-- What waits for one target is found without walking through what waits for
-- another.
CREATE INDEX effects_kind ON effects (kind, id);
