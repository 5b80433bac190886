-- How far others are told that a member has read: never back, and no further while the member is invisible.
ALTER TABLE memberships ADD COLUMN shown_seq BIGINT NOT NULL DEFAULT 0;
UPDATE memberships SET shown_seq = read_seq;
-- How they had read goes with a deleted account.
UPDATE memberships SET read_seq = 0, shown_seq = 0, notify = NULL WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL);
DELETE FROM thread_people WHERE replies = 0 AND user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL);
UPDATE thread_people SET follows = FALSE, read_seq = 0 WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL);
