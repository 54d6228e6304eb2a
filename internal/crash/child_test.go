package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
)

// childEnv holds the orders of a process that is going to be killed.
const childEnv = "PAYHOST_CRASH_CHILD"

// orders are what a child is told.
type orders struct {
	Providers rig.Providers
	Listen    string
	Dir       string // of SQLite files; "" for PostgreSQL
	Postgres  string
	KillAt    string // the boundary to die at; "" for none
	KillNth   int    // which time it comes by
	Offset    time.Duration
	Jobs      bool // run the background jobs, too; else they run when told
}

// TestMain runs the tests, or, in a child, payhost.
func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var o orders
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = child(context.Background(), o)
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

// boundary counts how often each boundary came by, and dies at the one that is
// ordered.
type boundary struct {
	orders orders
	mu     sync.Mutex
	seen   map[string]int
}

func (b *boundary) pass(point string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[point]++
	if point == b.orders.KillAt && b.seen[point] == b.orders.KillNth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // not one instruction further
	}
}

// child is a payhost with its API, and a way to set its clock and to have it work.
func child(ctx context.Context, o orders) error {
	clock := &rig.Clock{}
	clock.Advance(o.Offset)
	s, storage, err := openStores(ctx, o, clock)
	if err != nil {
		return err
	}
	b := &boundary{orders: o, seen: map[string]int{}}
	p, err := o.Providers.Open(ctx, clock, s, rig.Options{
		CallTimeout: 2 * time.Second, Storage: storage,
		Config: payments.Config{PublicURL: "http://" + o.Listen, Fault: b.pass},
	})
	if err != nil {
		return err
	}
	if o.Jobs {
		err = p.Engine.Start(ctx)
	} else {
		err = p.Engine.Recover(ctx)
	}
	if err != nil {
		return err
	}
	api, err := httpapi.New(httpapi.Config{
		Engine: p.Engine, Tokens: []httpapi.Token{{Name: "shop", Token: "crash-test-token", Scopes: []httpapi.Scope{"payments", "admin"}}},
		Limits: httpapi.Limits{Rate: -1, NotificationRate: -1},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("POST /_clock/{ns}", func(_ http.ResponseWriter, r *http.Request) {
		ns, _ := strconv.ParseInt(r.PathValue("ns"), 10, 64)
		clock.Advance(time.Duration(ns))
	})
	mux.HandleFunc("POST /_work", func(w http.ResponseWriter, r *http.Request) {
		if _, err := p.Engine.Do(r.Context(), store.Job{Kind: store.JobSweep}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /_disk/{bytes}", limitFiles)
	mux.HandleFunc("GET /_points", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = json.NewEncoder(w).Encode(b.seen)
	})
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return errors.Join(errors.New("server ended"), server.Serve(l))
}

// limitFiles makes every write of a file behind a size fail, as a full disk does; 0
// takes the limit away.
func limitFiles(w http.ResponseWriter, r *http.Request) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	if n, _ := strconv.ParseUint(r.PathValue("bytes"), 10, 64); n > 0 {
		limit.Cur = n
	} else {
		limit.Cur = limit.Max
	}
	if err = errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func openStores(ctx context.Context, o orders, clock *rig.Clock) (store.Store, kv.Store, error) {
	config, plugins := store.Config{Now: clock.Now}, kv.Config{Now: clock.Now}
	if o.Dir != "" {
		s, err := store.OpenSQLite(ctx, filepath.Join(o.Dir, "payhost.db"), config)
		if err != nil {
			return nil, nil, err
		}
		storage, err := kv.OpenSQLite(ctx, filepath.Join(o.Dir, "kv.db"), plugins)
		return s, storage, err
	}
	s, err := store.OpenPostgres(ctx, o.Postgres, config)
	if err != nil {
		return nil, nil, err
	}
	pool, err := pgxpool.New(ctx, o.Postgres)
	if err != nil {
		return nil, nil, err
	}
	storage, err := kv.OpenPostgres(ctx, pool, plugins)
	return s, storage, err
}
