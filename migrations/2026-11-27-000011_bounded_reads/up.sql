-- What people wrote and nobody has deleted: older clients are shown nothing else, however many tombstones stand between.
CREATE INDEX messages_written ON messages (room_id, id) WHERE kind <> 'system' AND deleted_at IS NULL;
-- The first who reacted with an emoji.
CREATE INDEX reactions_in_order ON reactions (room_id, message_id, emoji, seq);
