ALTER TABLE rooms DROP COLUMN evictions;
