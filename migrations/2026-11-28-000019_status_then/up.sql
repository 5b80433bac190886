-- The state that comes back when a status ends: away, dnd or invisible; NULL: none.
ALTER TABLE users ADD COLUMN status_then TEXT;
