-- What is in doubt on one connection is found without a look at the doubts of others. Few books are ever in doubt, and the
-- others are not in this index, so that a payment pays nothing for it.

-- +goose Up
CREATE INDEX book_doubtful_of ON book (connection, id) WHERE in_doubt <> 0;
