DROP TABLE account_changes;
DROP TABLE known_networks;
ALTER TABLE users DROP COLUMN deleted_at;
ALTER TABLE users DROP COLUMN disabled_at;
ALTER TABLE users DROP COLUMN credentials;
