-- A direct room is hidden as long as it has no message after this one. (It was to be a time; but clocks are set.)
ALTER TABLE memberships ADD COLUMN hidden_seq BIGINT;
ALTER TABLE memberships DROP COLUMN hidden_at;
-- When the member last wrote in a room where members wait between two messages.
ALTER TABLE memberships ADD COLUMN spoke_at TIMESTAMP;
-- How many rooms someone has made within an hour.
CREATE INDEX rooms_by_maker ON rooms (created_by, created_at);
