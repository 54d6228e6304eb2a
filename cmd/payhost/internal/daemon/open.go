package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
)

// openStores opens the ledger's store and the plugins' storage: two SQLite files in
// the data folder, or both in one PostgreSQL.
func (d *Daemon) openStores(ctx context.Context) error {
	if err := d.dataDir(); err != nil {
		return err
	}
	settings := store.Config{Logger: d.log.Named("store"), Committed: d.metrics.committed}
	if d.config.DatabaseURL != "" {
		d.log.Info("store is PostgreSQL")
		s, err := store.OpenPostgres(ctx, d.config.DatabaseURL, settings)
		if err != nil {
			return fmt.Errorf("database_url: %w", err)
		}
		d.store = s
		storage, err := kv.OpenPostgres(ctx, s.Pool(), kv.Config{})
		if err != nil {
			return fmt.Errorf("database_url: %w", err)
		}
		d.storage = storage
		return nil
	}
	d.log.Info("store is SQLite", "data_dir", d.config.DataDir)
	s, err := store.OpenSQLite(ctx, filepath.Join(d.config.DataDir, "payhost.db"), settings)
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	d.store = s
	storage, err := kv.OpenSQLite(ctx, filepath.Join(d.config.DataDir, "kv.db"), kv.Config{})
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	d.storage = storage
	return nil
}

// dataDir makes the data folder with mode 0700. One that is there is left as it is,
// unless others could change what payhost runs.
func (d *Daemon) dataDir() error {
	dir := d.config.DataDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("data_dir: %w", err)
	case info.Mode()&0o022 != 0:
		return errors.New("data_dir: others may write in it: compiled plugins lie there, so make it mode 0700")
	case info.Mode()&0o055 != 0:
		d.log.Warn("data_dir can be read by other users", "mode", info.Mode().Perm().String())
	}
	return nil
}

// engineConfig is what the engine is told at start.
func (d *Daemon) engineConfig() payments.Config {
	c := d.config
	settings := engineSettings(c)
	return payments.Config{
		Host: d.host, Store: d.store, Logger: d.log, PublicURL: c.PublicURL, CallTimeout: c.Limits.CallTimeout,
		Endpoints: settings.endpoints, Late: settings.late, Rates: settings.rates,
		Observe: d.metrics,
		Retention: payments.Retention{
			Keys: time.Duration(c.Retention.Keys), Events: time.Duration(c.Retention.Events),
			Notifications: time.Duration(c.Retention.Notifications), Requests: time.Duration(c.Retention.Requests),
		},
	}
}

// changeable is what the engine is told of that a reload may change.
type changeable struct {
	endpoints []payments.Endpoint
	late      map[string]payments.LatePolicy
	rates     map[string]int
}

func engineSettings(c *config.Config) changeable {
	s := changeable{late: map[string]payments.LatePolicy{}, rates: map[string]int{}}
	for _, w := range c.Webhooks {
		events := w.Events
		if len(events) == 0 {
			events = []string{"*"}
		}
		s.endpoints = append(s.endpoints, payments.Endpoint{URL: w.URL, Secret: w.Secret, Events: events})
	}
	for name, conn := range c.Connections {
		if conn.LateSuccess != "" {
			s.late[name] = payments.LatePolicy(conn.LateSuccess)
		}
		if conn.Rate != 0 {
			s.rates[name] = conn.Rate
		}
	}
	return s
}
