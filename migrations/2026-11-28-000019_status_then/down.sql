-- Nothing is to end by itself that had no end: whoever would be invisible again is so from now on.
UPDATE users SET status_state = status_then, status_text = NULL, status_emoji = NULL, status_until = NULL WHERE status_then IS NOT NULL;
ALTER TABLE users DROP COLUMN status_then;
