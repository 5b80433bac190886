DROP INDEX reactions_in_order;
DROP INDEX messages_written;
