DROP INDEX rooms_by_looks;
DROP INDEX users_by_looks;
CREATE INDEX users_by_looks ON users (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(username_key, '0', 'o'), '1', 'l'), 'i', 'l'), 'm', 'rn'), 'w', 'vv'));
CREATE INDEX rooms_by_looks ON rooms (REPLACE(REPLACE(name_key, 'i', 'l'), 'w', 'vv')) WHERE name_key IS NOT NULL;
