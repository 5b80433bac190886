-- How far others are told that a member has read: never back, and no further while the member is invisible.
ALTER TABLE memberships ADD COLUMN shown_seq BIGINT NOT NULL DEFAULT 0;
UPDATE memberships SET shown_seq = read_seq;
