-- Only a capital I looks like an l: Lia is not Ila, and mail is not mall. (A room's name is in small letters, and its name_key
-- already has 0, 1 and m as they look.)
DROP INDEX users_by_looks;
DROP INDEX rooms_by_looks;
CREATE INDEX users_by_looks ON users (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(REPLACE(username, 'I', 'l')), '0', 'o'), '1', 'l'), 'm', 'rn'), 'w', 'vv'), '_', '-'));
CREATE INDEX rooms_by_looks ON rooms (REPLACE(REPLACE(name_key, 'w', 'vv'), '_', '-')) WHERE name_key IS NOT NULL;
