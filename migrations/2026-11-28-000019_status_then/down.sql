-- The state that was to come back holds from now on, and what was said until then is gone: nobody is to be seen who did not want to be.
UPDATE users SET status_state = status_then, status_text = NULL, status_emoji = NULL, status_until = NULL WHERE status_then IS NOT NULL;
ALTER TABLE users DROP COLUMN status_then;
