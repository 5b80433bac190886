-- What is said later: as an answer, too, and when that is tried.

-- The message that it answers.
ALTER TABLE scheduled ADD COLUMN reply_to BIGINT;
-- When it is tried: at its time, or after that where slow mode has it wait.
ALTER TABLE scheduled ADD COLUMN try_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE scheduled SET try_at = send_at;
DROP INDEX scheduled_by_time;
CREATE INDEX scheduled_by_time ON scheduled (try_at) WHERE failed IS NULL;
