-- Who put a revision in place by force, and what was lost by it, is asked months later. What was activated before has no
-- such words. lost is a JSON list of names.

-- +goose Up
ALTER TABLE activation ADD COLUMN lost   TEXT    NOT NULL DEFAULT '[]';
ALTER TABLE activation ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE activation ADD COLUMN needed TEXT    NOT NULL DEFAULT '';
