-- Threads, mentions, reading, profiles, drafts, and what is said later.

-- The first message of the thread in which it stands.
ALTER TABLE messages ADD COLUMN thread BIGINT;
-- Stands in its thread alone, and not in the room's own pages.
ALTER TABLE messages ADD COLUMN thread_only BOOLEAN NOT NULL DEFAULT FALSE;
-- Whom it mentions, and where in its text: a JSON array of [user (0: all in the room, -1: who is there), from, to].
ALTER TABLE messages ADD COLUMN mentions TEXT;
-- The room's own pages, however much stands in threads between.
CREATE INDEX messages_in_room ON messages (room_id, id) WHERE NOT thread_only;
-- What counts as unread, and what older clients are shown.
DROP INDEX messages_written;
CREATE INDEX messages_written ON messages (room_id, id, user_id) WHERE kind <> 'system' AND deleted_at IS NULL AND NOT thread_only;
-- The pages of a thread, and what is unread in it.
CREATE INDEX messages_of_threads ON messages (room_id, thread, id) WHERE thread IS NOT NULL;
CREATE INDEX messages_in_threads ON messages (room_id, thread, id, user_id) WHERE thread IS NOT NULL AND deleted_at IS NULL;

-- What is under a message that has replies.
CREATE TABLE threads (
    room_id BIGINT NOT NULL,
    -- Its first message.
    id BIGINT NOT NULL,
    -- Those that are not deleted.
    replies BIGINT NOT NULL,
    -- The last of them, 0 when there is none.
    last_id BIGINT NOT NULL,
    last_at TIMESTAMP NOT NULL,
    -- The room's change by which it came to be so.
    seq BIGINT NOT NULL,
    PRIMARY KEY (room_id, id),
    FOREIGN KEY (room_id, id) REFERENCES messages (room_id, id)
);
-- Who has to do with a thread: its author, who replied, who is mentioned, who follows it.
CREATE TABLE thread_people (
    room_id BIGINT NOT NULL,
    thread BIGINT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- Replies of theirs that are not deleted.
    replies BIGINT NOT NULL DEFAULT 0,
    follows BOOLEAN NOT NULL DEFAULT TRUE,
    -- Up to here they have read it.
    read_seq BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, thread, user_id),
    FOREIGN KEY (room_id, thread) REFERENCES messages (room_id, id)
);
CREATE INDEX thread_people_by_user ON thread_people (user_id, room_id, thread) WHERE follows;

-- Who is mentioned where, to be counted. user_id 0: all in the room.
CREATE TABLE mentions (
    room_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    -- The thread in which alone the message stands.
    thread BIGINT,
    PRIMARY KEY (room_id, user_id, message_id),
    FOREIGN KEY (room_id, message_id) REFERENCES messages (room_id, id)
);
CREATE INDEX mentions_by_message ON mentions (room_id, message_id);

-- Up to here they have read the room. What was there before this release counts as read.
ALTER TABLE memberships ADD COLUMN read_seq BIGINT NOT NULL DEFAULT 0;
UPDATE memberships SET read_seq = (SELECT last_seq FROM rooms WHERE rooms.id = memberships.room_id);
-- all, mentions or nothing; NULL: what is usual in a room of its kind.
ALTER TABLE memberships ADD COLUMN notify TEXT;

-- What they are called by people.
ALTER TABLE users ADD COLUMN display_name TEXT;
-- Sealed, and bound to their user.
ALTER TABLE users ADD COLUMN bio TEXT;
ALTER TABLE users ADD COLUMN pronouns TEXT;
-- A name of the IANA time zone database.
ALTER TABLE users ADD COLUMN time_zone TEXT;
-- Shows others what they have read, and sees it of others.
ALTER TABLE users ADD COLUMN receipts BOOLEAN NOT NULL DEFAULT TRUE;
-- From and to in their time zone, as 22:00-07:00.
ALTER TABLE users ADD COLUMN quiet_hours TEXT;
-- What they have chosen to be, beside what their devices show: away, dnd or invisible.
ALTER TABLE users ADD COLUMN status_state TEXT;
-- Sealed, and bound to their user.
ALTER TABLE users ADD COLUMN status_text TEXT;
ALTER TABLE users ADD COLUMN status_emoji TEXT;
ALTER TABLE users ADD COLUMN status_until TIMESTAMP;
-- By which beginnings people are found: the words of their names, in hexadecimal digits, which every collation puts into the
-- same order. Whoever has none yet is given them at the next start.
CREATE TABLE user_words (
    word TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    PRIMARY KEY (word, user_id)
);
CREATE INDEX user_words_by_user ON user_words (user_id, word);

-- What someone began to write. thread 0: in the room itself.
CREATE TABLE drafts (
    user_id BIGINT NOT NULL REFERENCES users (id),
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    thread BIGINT NOT NULL DEFAULT 0,
    -- Sealed, and bound to its place.
    content TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, room_id, thread)
);
CREATE INDEX drafts_by_room ON drafts (room_id);

-- What is to be said later.
CREATE TABLE scheduled (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    thread BIGINT,
    also_to_room BOOLEAN NOT NULL DEFAULT FALSE,
    -- message or reminder
    kind TEXT NOT NULL DEFAULT 'message',
    -- Sealed, and bound to its place.
    content TEXT NOT NULL,
    -- What it is called when it is sent, so that it is sent once.
    client_id TEXT NOT NULL,
    send_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    -- Why it could not be sent.
    failed TEXT
);
CREATE INDEX scheduled_by_user ON scheduled (user_id, send_at);
CREATE INDEX scheduled_by_time ON scheduled (send_at) WHERE failed IS NULL;

-- Messages that someone wants to find again.
CREATE TABLE saved (
    user_id BIGINT NOT NULL REFERENCES users (id),
    room_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, room_id, message_id),
    FOREIGN KEY (room_id, message_id) REFERENCES messages (room_id, id)
);
CREATE INDEX saved_by_time ON saved (user_id, created_at);
