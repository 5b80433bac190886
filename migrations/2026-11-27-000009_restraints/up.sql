-- What holds of someone who is no member of the room now, and holds again when they come back: a mute, and when they last wrote in
-- slow mode. It is of the person and the room, so that no one shakes it off by leaving. Only those have a row who need one.
CREATE TABLE restraints (
    room_id BIGINT NOT NULL REFERENCES rooms (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    muted_until TIMESTAMP,
    spoke_at TIMESTAMP,
    PRIMARY KEY (room_id, user_id)
);
