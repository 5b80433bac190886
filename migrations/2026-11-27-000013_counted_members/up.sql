-- How many members the room has, counted in the same transaction as each change of it. Whatever inserts into `memberships` or deletes
-- from it must count it.
ALTER TABLE rooms ADD COLUMN members BIGINT NOT NULL DEFAULT 0;
UPDATE rooms SET members = (SELECT COUNT(*) FROM memberships WHERE memberships.room_id = rooms.id);
