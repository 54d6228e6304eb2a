package daemon_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
)

// TestBackup copies the databases of a payhost that runs, as docs/operations.md
// says, and goes on from the copy.
func TestBackup(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := start(t, c)
	before, err := p.create(t, "main", "order-1")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "restored")
	if err := os.Mkdir(copied, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"payhost.db", "kv.db"} {
		db, err := sql.Open("sqlite", filepath.Join(c.DataDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "VACUUM INTO ?", filepath.Join(copied, name)); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	after, err := p.create(t, "main", "order-2")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	restored := start(t, edited(c, func(n *config.Config) { n.DataDir = copied }))
	var read client.Payment
	if restored.get(t, "/v1/payments/"+before.ID, &read); read.Status != "pending" {
		t.Errorf("%+v", read)
	}
	if _, err := restored.create(t, "main", "order-1"); err != nil {
		t.Errorf("the same key: %v", err)
	}
	var list client.Payments
	if restored.get(t, "/v1/payments", &list); len(list.Payments) != 1 || list.Payments[0].ID == after.ID {
		t.Errorf("%+v", list)
	}
}

// TestSecondProcess wants a second daemon on the same SQLite file refused.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	c := settings(t)
	start(t, c)
	if d, err := newDaemon(t, c); err == nil {
		d.Close()
		t.Error("two daemons on one file")
	} else if !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("error %v", err)
	}
}
