-- Times are microseconds since 1970, UTC. Texts compare by their bytes, whatever
-- the locale of the database. Partial indexes hold the few rows that
-- are due, in doubt or under way: most books are at rest.

-- +goose Up
CREATE TABLE book (
	id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	connection     TEXT COLLATE "C" NOT NULL,
	order_id       TEXT COLLATE "C" NOT NULL,
	receipt        BOOLEAN NOT NULL, -- stands alone
	status         TEXT COLLATE "C" NOT NULL,
	provider_ref   TEXT COLLATE "C" NOT NULL,
	in_doubt       BOOLEAN NOT NULL, -- as the merchant sees it: a receipt holds up no payment
	in_doubt_since BIGINT,           -- of anything in it, receipts too
	due_at         BIGINT,
	running        BOOLEAN NOT NULL,
	alerts         BIGINT NOT NULL,
	version        BIGINT NOT NULL,
	last_seq       BIGINT NOT NULL, -- of the last entry; the snapshot may have an older one
	created_at     BIGINT NOT NULL,
	updated_at     BIGINT NOT NULL,
	snapshot       TEXT NOT NULL
);
CREATE INDEX book_receipt    ON book (receipt, id);
CREATE INDEX book_connection ON book (connection, receipt, id);
CREATE INDEX book_status     ON book (connection, status, id);
CREATE INDEX book_any_status ON book (status, id);
CREATE INDEX book_order      ON book (order_id, id) WHERE order_id <> '';
CREATE INDEX book_ref        ON book (connection, provider_ref, id) WHERE provider_ref <> '';
CREATE INDEX book_due        ON book (connection, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX book_doubt      ON book (in_doubt_since, id, connection) WHERE in_doubt_since IS NOT NULL;
CREATE INDEX book_doubtful   ON book (id) WHERE in_doubt;
CREATE INDEX book_running    ON book (id) WHERE running;
CREATE INDEX book_alerts     ON book (id) WHERE alerts > 0;

-- The triggers let nobody change what was written, so a seq is never used again.
CREATE TABLE entry (
	seq   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	book  TEXT COLLATE "C" NOT NULL,
	at    BIGINT NOT NULL,
	kind  TEXT COLLATE "C" NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	body  TEXT NOT NULL
);
CREATE INDEX entry_book ON entry (book, seq);
-- +goose StatementBegin
CREATE FUNCTION payhost_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the ledger is append-only';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER entry_no_change BEFORE UPDATE OR DELETE ON entry
	FOR EACH ROW EXECUTE FUNCTION payhost_append_only();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON entry
	FOR EACH STATEMENT EXECUTE FUNCTION payhost_append_only();

CREATE TABLE idempotency_key (
	caller      TEXT COLLATE "C" NOT NULL,
	connection  TEXT COLLATE "C" NOT NULL,
	operation   TEXT COLLATE "C" NOT NULL,
	key         TEXT COLLATE "C" NOT NULL,
	fingerprint BYTEA NOT NULL,
	book        TEXT COLLATE "C" NOT NULL,
	op          TEXT COLLATE "C" NOT NULL,
	at          BIGINT NOT NULL,
	PRIMARY KEY (caller, connection, operation, key)
);
CREATE INDEX idempotency_key_at ON idempotency_key (at);

CREATE TABLE provider_key (
	connection TEXT COLLATE "C" NOT NULL,
	key        TEXT COLLATE "C" NOT NULL,
	operation  TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (connection, key)
);

CREATE TABLE request (
	operation TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	at        BIGINT NOT NULL,
	body      BYTEA NOT NULL
);
CREATE INDEX request_at ON request (at);

-- Sequence numbers are not in the order of commits: a reader goes by the number of
-- the transaction, and only as far as no earlier one is still open.
CREATE TABLE event (
	seq  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id   TEXT COLLATE "C" NOT NULL UNIQUE,
	book TEXT COLLATE "C" NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	at   BIGINT NOT NULL,
	body BYTEA NOT NULL,
	tx   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX event_order ON event (tx, seq);
CREATE INDEX event_at ON event (at);

-- Of the pending deliveries of a book to an endpoint only the first has a due
-- time; the next gets one when it is done or dead.
CREATE TABLE delivery (
	endpoint   TEXT COLLATE "C" NOT NULL,
	event      BIGINT NOT NULL,
	book       TEXT COLLATE "C" NOT NULL,
	state      TEXT COLLATE "C" NOT NULL,
	tries      BIGINT NOT NULL,
	due_at     BIGINT,
	last_error TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (event, endpoint)
);
CREATE INDEX delivery_due     ON delivery (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_pending ON delivery (endpoint, book, event) WHERE state = 'pending';
CREATE INDEX delivery_dead    ON delivery (event, endpoint) WHERE state = 'dead';

CREATE TABLE notification (
	id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	connection  TEXT COLLATE "C" NOT NULL,
	book        TEXT COLLATE "C" NOT NULL,
	received_at BIGINT NOT NULL,
	state       TEXT COLLATE "C" NOT NULL,
	try_at      BIGINT,
	tries       BIGINT NOT NULL,
	raw         BYTEA NOT NULL
);
CREATE INDEX notification_parked ON notification (try_at) WHERE state = 'parked';
CREATE INDEX notification_at     ON notification (received_at) WHERE state <> 'parked';

CREATE TABLE revision (
	digest   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	plugin   TEXT COLLATE "C" NOT NULL,
	version  TEXT COLLATE "C" NOT NULL,
	size     BIGINT NOT NULL,
	uploader TEXT COLLATE "C" NOT NULL,
	at       BIGINT NOT NULL,
	module   BYTEA NOT NULL
);
CREATE INDEX revision_plugin ON revision (plugin, at);

CREATE TABLE activation (
	seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	plugin    TEXT COLLATE "C" NOT NULL,
	digest    TEXT COLLATE "C" NOT NULL,
	source    TEXT COLLATE "C" NOT NULL,
	activator TEXT COLLATE "C" NOT NULL,
	at        BIGINT NOT NULL
);
CREATE INDEX activation_plugin ON activation (plugin, seq);

