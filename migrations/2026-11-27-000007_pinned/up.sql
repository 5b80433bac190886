-- The pinned messages of a room: few.
CREATE INDEX messages_pinned ON messages (room_id, id) WHERE pinned_by IS NOT NULL;
