-- Up to these users (in room 0, which there is not) an e-mail address without a mac behind it is believed, until it has its own.
INSERT INTO facts (name, value)
    SELECT 'unbound-until-0', CAST(last.id AS TEXT)
    FROM (SELECT MAX(id) AS id FROM users WHERE email IS NOT NULL AND id BETWEEN 1 AND 9007199254740991) AS last
    WHERE last.id IS NOT NULL;
