-- Times are microseconds since 1970, UTC. Partial indexes hold the few rows that
-- are due, in doubt or under way: most books are at rest.

-- +goose Up
CREATE TABLE book (
	id             TEXT    NOT NULL PRIMARY KEY,
	connection     TEXT    NOT NULL,
	order_id       TEXT    NOT NULL,
	receipt        INTEGER NOT NULL, -- stands alone
	status         TEXT    NOT NULL,
	provider_ref   TEXT    NOT NULL,
	in_doubt       INTEGER NOT NULL, -- as the merchant sees it: a receipt holds up no payment
	in_doubt_since INTEGER,          -- of anything in it, receipts too
	due_at         INTEGER,
	running        INTEGER NOT NULL,
	alerts         INTEGER NOT NULL,
	version        INTEGER NOT NULL,
	last_seq       INTEGER NOT NULL, -- of the last entry; the snapshot may have an older one
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL,
	snapshot       TEXT    NOT NULL
) STRICT;
CREATE INDEX book_receipt    ON book (receipt, id);
CREATE INDEX book_connection ON book (connection, receipt, id);
CREATE INDEX book_status     ON book (connection, status, id);
CREATE INDEX book_any_status ON book (status, id);
CREATE INDEX book_order      ON book (order_id, id) WHERE order_id <> '';
CREATE INDEX book_ref        ON book (connection, provider_ref, id) WHERE provider_ref <> '';
CREATE INDEX book_due        ON book (connection, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX book_doubt      ON book (in_doubt_since, id, connection) WHERE in_doubt_since IS NOT NULL;
CREATE INDEX book_doubtful   ON book (id) WHERE in_doubt <> 0;
CREATE INDEX book_running    ON book (id) WHERE running <> 0;
CREATE INDEX book_alerts     ON book (id) WHERE alerts > 0;

-- The triggers let nobody change what was written, so a seq is never used again.
CREATE TABLE entry (
	seq   INTEGER NOT NULL PRIMARY KEY,
	book  TEXT    NOT NULL,
	at    INTEGER NOT NULL,
	kind  TEXT    NOT NULL,
	actor TEXT    NOT NULL,
	body  TEXT    NOT NULL
) STRICT;
CREATE INDEX entry_book ON entry (book, seq);
-- +goose StatementBegin
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- +goose StatementEnd
-- REPLACE deletes without asking the trigger above. A seq that SQLite is to choose is -1 here.
-- +goose StatementBegin
CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN new.seq >= 0 BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only') WHERE EXISTS (SELECT 1 FROM entry WHERE seq = new.seq);
END;
-- +goose StatementEnd

CREATE TABLE idempotency_key (
	caller      TEXT    NOT NULL,
	connection  TEXT    NOT NULL,
	operation   TEXT    NOT NULL,
	key         TEXT    NOT NULL,
	fingerprint BLOB    NOT NULL,
	book        TEXT    NOT NULL,
	op          TEXT    NOT NULL,
	at          INTEGER NOT NULL,
	PRIMARY KEY (caller, connection, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_at ON idempotency_key (at);

CREATE TABLE provider_key (
	connection TEXT NOT NULL,
	key        TEXT NOT NULL,
	operation  TEXT NOT NULL,
	PRIMARY KEY (connection, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
	operation TEXT    NOT NULL PRIMARY KEY,
	at        INTEGER NOT NULL,
	body      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX request_at ON request (at);

-- A cursor outlives what is pruned, so no seq may come back: AUTOINCREMENT.
CREATE TABLE event (
	seq  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	id   TEXT    NOT NULL UNIQUE,
	book TEXT    NOT NULL,
	type TEXT    NOT NULL,
	at   INTEGER NOT NULL,
	body BLOB    NOT NULL
) STRICT;
CREATE INDEX event_at ON event (at);

-- Of the pending deliveries of a book to an endpoint only the first has a due
-- time; the next gets one when it is done or dead.
CREATE TABLE delivery (
	endpoint   TEXT    NOT NULL,
	event      INTEGER NOT NULL,
	book       TEXT    NOT NULL,
	state      TEXT    NOT NULL,
	tries      INTEGER NOT NULL,
	due_at     INTEGER,
	last_error TEXT    NOT NULL,
	PRIMARY KEY (event, endpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due     ON delivery (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_pending ON delivery (endpoint, book, event) WHERE state = 'pending';
CREATE INDEX delivery_dead    ON delivery (event, endpoint) WHERE state = 'dead';

CREATE TABLE notification (
	id          TEXT    NOT NULL PRIMARY KEY,
	connection  TEXT    NOT NULL,
	book        TEXT    NOT NULL,
	received_at INTEGER NOT NULL,
	state       TEXT    NOT NULL,
	try_at      INTEGER,
	tries       INTEGER NOT NULL,
	raw         BLOB    NOT NULL
) STRICT;
CREATE INDEX notification_parked ON notification (try_at) WHERE state = 'parked';
CREATE INDEX notification_at     ON notification (received_at) WHERE state <> 'parked';

CREATE TABLE revision (
	digest   TEXT    NOT NULL PRIMARY KEY,
	plugin   TEXT    NOT NULL,
	version  TEXT    NOT NULL,
	size     INTEGER NOT NULL,
	uploader TEXT   NOT NULL,
	at       INTEGER NOT NULL,
	module   BLOB    NOT NULL
) STRICT;
CREATE INDEX revision_plugin ON revision (plugin, at);

CREATE TABLE activation (
	seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	plugin    TEXT    NOT NULL,
	digest    TEXT    NOT NULL,
	source    TEXT    NOT NULL,
	activator TEXT    NOT NULL,
	at        INTEGER NOT NULL
) STRICT;
CREATE INDEX activation_plugin ON activation (plugin, seq);

