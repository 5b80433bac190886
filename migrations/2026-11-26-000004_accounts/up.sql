-- Counts the changes of the password and of the state of an account. A login that was checked before such a change is not
-- let in after it.
ALTER TABLE users ADD COLUMN credentials BIGINT NOT NULL DEFAULT 0;
-- Since when nobody can log in to it.
ALTER TABLE users ADD COLUMN disabled_at TIMESTAMP;
-- Since when it stands only for whoever wrote its messages. `username` is then a name that tells nothing, and
-- `username_key` holds `deleted:` and a hash of the name that it had, so that nobody gets that name again.
ALTER TABLE users ADD COLUMN deleted_at TIMESTAMP;

-- From where somebody has logged in to an account: a keyed hash of the account and the network, never an address.
CREATE TABLE known_networks (
    user_id BIGINT NOT NULL REFERENCES users (id),
    network TEXT NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, network)
);

-- What was done to accounts, numbered without a hole in the order in which it was committed. A server that sees a new
-- number looks which logins have ended.
CREATE TABLE account_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- added, password, disabled, enabled, deleted or signed-out
    act TEXT NOT NULL,
    -- `operator`, or `self`.
    actor TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
