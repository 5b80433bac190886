DROP INDEX rooms_by_looks;
DROP INDEX users_by_looks;
