DROP INDEX rooms_by_maker;
ALTER TABLE memberships DROP COLUMN spoke_at;
ALTER TABLE memberships ADD COLUMN hidden_at TIMESTAMP;
ALTER TABLE memberships DROP COLUMN hidden_seq;
