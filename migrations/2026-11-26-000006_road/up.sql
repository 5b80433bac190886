-- Rooms of every kind, changes of messages, and sealed texts that read only in their place.

-- What names the room on the wire, for ever: `general`, for all others the id in decimal digits.
ALTER TABLE rooms RENAME COLUMN name TO key;
-- Counts the changes of who may do what in the room, in the same transaction: who remembers members looks again when it
-- has changed. Whatever deletes from `memberships` or changes a row of it must count it.
ALTER TABLE rooms RENAME COLUMN evictions TO members_version;
-- public, private or direct
ALTER TABLE rooms ADD COLUMN kind TEXT NOT NULL DEFAULT 'public';
-- What people call it; direct rooms have none.
ALTER TABLE rooms ADD COLUMN name TEXT;
-- The form of the name by which public rooms are told apart.
ALTER TABLE rooms ADD COLUMN name_key TEXT;
-- Sealed.
ALTER TABLE rooms ADD COLUMN topic TEXT;
ALTER TABLE rooms ADD COLUMN archived_at TIMESTAMP;
ALTER TABLE rooms ADD COLUMN slow_seconds BIGINT NOT NULL DEFAULT 0;
-- Direct rooms: a hash of the sorted ids of all who are in it.
ALTER TABLE rooms ADD COLUMN people TEXT;
-- The room's newest message.
ALTER TABLE rooms ADD COLUMN last_message_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN created_by BIGINT;
CREATE UNIQUE INDEX rooms_by_name ON rooms (name_key) WHERE name_key IS NOT NULL;
CREATE UNIQUE INDEX rooms_by_people ON rooms (people) WHERE people IS NOT NULL;
-- Until now every change was a message.
UPDATE rooms SET last_message_id = last_seq;
UPDATE rooms SET name = key, name_key = key WHERE key = 'general';

-- member, moderator or owner
ALTER TABLE memberships ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
ALTER TABLE memberships ADD COLUMN muted_until TIMESTAMP;
ALTER TABLE memberships ADD COLUMN hidden_at TIMESTAMP;
CREATE INDEX memberships_of_owners ON memberships (room_id) WHERE role = 'owner';

-- Who was taken out of a room and cannot join it again until somebody invites them.
CREATE TABLE removals (
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- The room's change that took them out.
    seq BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (room_id, user_id)
);

-- text, or system: the room's own sentence about a change, for which `content` is a sealed JSON object.
ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'text';
-- Binds the sealed text to its room, its number and its author.
ALTER TABLE messages ADD COLUMN mac TEXT;
-- The message before it in the room, 0 for the first. Where it is NULL, every number was a message.
ALTER TABLE messages ADD COLUMN previous BIGINT;
ALTER TABLE messages ADD COLUMN edited_at TIMESTAMP;
-- Since when it is only a tombstone, without a text.
ALTER TABLE messages ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE messages ADD COLUMN pinned_by BIGINT;
ALTER TABLE messages ADD COLUMN pinned_at TIMESTAMP;
ALTER TABLE messages ADD COLUMN reply_to BIGINT;
-- Those that were changed after they were written: few.
CREATE INDEX messages_changed ON messages (room_id, seq) WHERE seq > id;

-- What a message said before each of its edits.
CREATE TABLE message_versions (
    room_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    -- The change that put another text in its place.
    seq BIGINT NOT NULL,
    -- Sealed, and bound like the message's own.
    content TEXT NOT NULL,
    mac TEXT,
    -- Since when it said so.
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (room_id, message_id, seq),
    FOREIGN KEY (room_id, message_id) REFERENCES messages (room_id, id)
);

CREATE TABLE reactions (
    room_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    emoji TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- The change that it was.
    seq BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (room_id, message_id, emoji, user_id),
    FOREIGN KEY (room_id, message_id) REFERENCES messages (room_id, id)
);

-- Up to these messages those without a mac are believed, until they have theirs. SQLite holds any text above all numbers, so
-- what someone has put there by hand must not count.
INSERT INTO facts (name, value)
    SELECT 'unbound-until-' || CAST(room_id AS TEXT), CAST(MAX(id) AS TEXT) FROM messages
    WHERE id BETWEEN 1 AND 9007199254740991 GROUP BY room_id;
