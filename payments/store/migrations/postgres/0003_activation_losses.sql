-- Who put a revision in place by force, and what was lost by it, is asked months later. What was activated before has no
-- such words. lost is a JSON list of names.

-- +goose Up
ALTER TABLE activation ADD COLUMN lost   TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE activation ADD COLUMN forced BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE activation ADD COLUMN needed TEXT COLLATE "C" NOT NULL DEFAULT '';
