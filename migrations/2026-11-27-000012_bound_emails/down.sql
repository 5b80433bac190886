DELETE FROM facts WHERE name = 'unbound-until-0';
-- Without the mac, which is always that long, and the point before it.
UPDATE users SET email = SUBSTR(email, 1, LENGTH(email) - 44) WHERE email LIKE '%.%';
