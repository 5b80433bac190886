ALTER TABLE memberships DROP COLUMN shown_seq;
