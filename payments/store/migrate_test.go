package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
	"github.com/payhost/payhost/sdk/pay"
)

// What the first schema had beyond today's and had not, and that nothing later was applied: a database as the first release left it.
const sqlFirstSchema = `CREATE INDEX book_receipt ON book (receipt, id); CREATE INDEX book_any_status ON book (status, id);
	CREATE INDEX request_at ON request (at); CREATE INDEX event_at ON event (at); DROP INDEX book_doubtful_of;
	ALTER TABLE activation DROP COLUMN lost; ALTER TABLE activation DROP COLUMN forced;
	ALTER TABLE activation DROP COLUMN needed; ALTER TABLE activation DROP COLUMN canary; DELETE FROM goose_db_version WHERE version_id > 1`

// TestOldDatabase opens databases of the first schema: what is in them is still there, and is found.
func TestOldDatabase(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "old.db"), pgtest.Database(t)
	for name, db := range map[string]struct {
		open func() store.Store
		run  func(text string) error
	}{
		"sqlite":   {func() store.Store { return openSQLite(t, path) }, func(text string) error { return raw(t, path, text) }},
		"postgres": {func() store.Store { return openPostgres(t, url) }, func(text string) error { return rawPostgres(t, url, text) }},
	} {
		s := db.open()
		active := store.Activation{Plugin: "rahmet", Digest: "aa", Source: "api", By: "ops", At: storetest.Start()}
		if err := s.Activate(t.Context(), &active); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range 3 {
			b, entries := storetest.Book(fmt.Sprint("shop-", i), "order-1")
			b.Status = pay.PaymentPending
			if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Split(sqlFirstSchema, ";") {
			if err := db.run(text); err != nil {
				t.Fatalf("%s: %s: %v", name, text, err)
			}
		}
		s = db.open()
		if list, err := s.Activations(t.Context(), "rahmet", 2); err != nil || cmp.Diff([]store.Activation{active}, list) != "" {
			t.Errorf("%s: activations %+v, %v", name, list, err)
		}
		for _, q := range []store.Query{{}, {Status: pay.PaymentPending}, {OrderID: "order-1"}} {
			q.Limit = 2
			first, err := s.Books(t.Context(), q)
			if err != nil || len(first) != 2 {
				t.Fatalf("%s: %+v: %d books, %v", name, q, len(first), err)
			}
			q.Before = first[1].ID
			if rest, err := s.Books(t.Context(), q); err != nil || len(rest) != 1 || rest[0].ID >= first[1].ID {
				t.Errorf("%s: %+v: %d books, %v", name, q, len(rest), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := db.run(`DROP INDEX event_at`); err == nil {
			t.Errorf("%s: an index that is to go is there", name)
		}
	}
}
