-- How names look at a glance, for when a new one is compared with all that are there. Nothing is stored, and nothing is unique: names
-- from before this rule stay. (A room's name_key already has 0, 1 and m as they look.)
CREATE INDEX users_by_looks ON users (REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(username_key, '0', 'o'), '1', 'l'), 'i', 'l'), 'm', 'rn'), 'w', 'vv'));
CREATE INDEX rooms_by_looks ON rooms (REPLACE(REPLACE(name_key, 'i', 'l'), 'w', 'vv')) WHERE name_key IS NOT NULL;
