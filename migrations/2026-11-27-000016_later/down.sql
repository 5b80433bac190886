DROP INDEX scheduled_by_time;
CREATE INDEX scheduled_by_time ON scheduled (send_at) WHERE failed IS NULL;
ALTER TABLE scheduled DROP COLUMN try_at;
ALTER TABLE scheduled DROP COLUMN reply_to;
