-- Who has brought the member in; no one, when they came by themselves. What others do counts apart, so that it keeps no one from
-- joining and making rooms.
ALTER TABLE memberships ADD COLUMN invited_by BIGINT;
