-- What was read unseen is not to be seen now: it is unread again.
UPDATE memberships SET read_seq = shown_seq WHERE read_seq > shown_seq AND user_id IN (SELECT id FROM users WHERE receipts);
ALTER TABLE memberships DROP COLUMN shown_seq;
