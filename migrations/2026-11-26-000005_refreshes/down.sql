ALTER TABLE sessions DROP COLUMN previous_expires_at;
