-- Runs alike on PostgreSQL and on SQLite: keys are made by the program, times are UTC without a zone.

-- Facts about the database as a whole: `epoch` (names this history), `key-check-1` and so on (one for each key that has
-- sealed something here; they tell a wrong ENCRYPTION_KEY).
CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id BIGINT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    -- The name in lower case: names that differ only in case are one person.
    username_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- Sealed like a message.
    email TEXT,
    created_at TIMESTAMP NOT NULL
);

-- A login. Its access tokens die with it.
CREATE TABLE sessions (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    refresh_hash TEXT NOT NULL,
    -- The refresh token before the last, good until the last is used: the answer that carried it may have been lost.
    previous_hash TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE rooms (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The number of the room's latest change: 1, 2, 3 … without a hole.
    last_seq BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE memberships (
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (room_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE messages (
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    -- The number of the change that made the message, for ever.
    id BIGINT NOT NULL,
    -- The number of the latest change to it.
    seq BIGINT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    client_id TEXT,
    -- A Fernet token, never the text itself.
    content TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (room_id, id)
);
CREATE UNIQUE INDEX messages_by_seq ON messages (room_id, seq);
-- What makes a retry safe for ever.
CREATE UNIQUE INDEX messages_by_client_id ON messages (room_id, user_id, client_id) WHERE client_id IS NOT NULL;

INSERT INTO rooms (id, name, last_seq, created_at) VALUES (1, 'general', 0, '2026-11-22 00:00:00');
