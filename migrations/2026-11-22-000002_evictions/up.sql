-- Counts how often a member was taken out of the room, in the same transaction: who remembers members looks anew when it
-- has changed. Whatever deletes from `memberships` must count it.
ALTER TABLE rooms ADD COLUMN evictions BIGINT NOT NULL DEFAULT 0;
