-- A revision may be tried on a part of the payments, beside the one in place. Its share in percent; 0 for one that is in
-- place, as all before were.

-- +goose Up
ALTER TABLE activation ADD COLUMN canary INTEGER NOT NULL DEFAULT 0;
