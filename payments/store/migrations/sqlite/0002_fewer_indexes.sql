-- Every index costs a payment something, and these are not needed to find anything fast: a list of all connections is
-- merged from those of each, and what is to be pruned comes first in the order of its key.

-- +goose Up
DROP INDEX book_receipt;
DROP INDEX book_any_status;
DROP INDEX request_at;
DROP INDEX event_at;
