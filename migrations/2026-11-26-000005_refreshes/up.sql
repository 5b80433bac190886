-- When the login was to end by the use of the refresh token before the last one. From that and the key the token which was
-- given then can be made again, so that one of two tabs that shared the token before it goes on.
ALTER TABLE sessions ADD COLUMN previous_expires_at TIMESTAMP;
