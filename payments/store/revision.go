package store

import (
	"context"
	"encoding/json"
)

const (
	sqlPutRevision = `INSERT INTO revision (digest, plugin, version, size, uploader, at, module)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`
	sqlRevisions = `SELECT plugin, digest, version, size, uploader, at FROM revision WHERE plugin = ?
		ORDER BY at DESC, digest`
	sqlBinary   = `SELECT module FROM revision WHERE digest = ?`
	sqlActivate = `INSERT INTO activation (plugin, digest, canary, source, activator, at, lost, forced, needed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`
	sqlActivations = `SELECT seq, plugin, digest, canary, source, activator, at, lost, forced, needed FROM activation
		WHERE plugin = ? ORDER BY seq DESC LIMIT ?`
	sqlNotify = `SELECT pg_notify('` + activationChannel + `', '')`

	// activationChannel is where PostgreSQL tells of activations.
	activationChannel = "payhost_activation"
)

// PutRevision implements Store.
func (c *core) PutRevision(ctx context.Context, r Revision, binary []byte) error {
	return c.backend.change(ctx, func(t *tx) error {
		_, err := t.exec(sqlPutRevision, r.Digest, r.Plugin, r.Version, r.Size, r.By, micros(r.At), notNil(binary))
		return err
	})
}

// Revisions implements Store.
func (c *core) Revisions(ctx context.Context, plugin string) ([]Revision, error) {
	var list []Revision
	err := c.backend.read(ctx, func(q querier) error {
		list = nil
		return q.each(ctx, sqlRevisions, []any{plugin}, func(scan scanner) error {
			var r Revision
			var at int64
			err := scan(&r.Plugin, &r.Digest, &r.Version, &r.Size, &r.By, &at)
			r.At = timeOf(at)
			list = append(list, r)
			return err
		})
	})
	return list, err
}

// Binary implements Store.
func (c *core) Binary(ctx context.Context, digest string) ([]byte, error) {
	var binary []byte
	err := c.backend.read(ctx, func(q querier) error { return one(ctx, q, sqlBinary, []any{digest}, &binary) })
	return binary, err
}

// Activate implements Store.
func (c *core) Activate(ctx context.Context, a *Activation) error {
	lost, err := json.Marshal(append([]string{}, a.Lost...)) // "[]" for none
	if err != nil {
		return err
	}
	return c.backend.change(ctx, func(t *tx) error {
		t.activated = true
		err := t.one(sqlActivate, []any{
			a.Plugin, a.Digest, a.Canary, a.Source, a.By, micros(a.At), string(lost), a.Forced, a.Needed,
		}, &a.Seq)
		if err == nil && t.dialect.postgres {
			err = t.later(sqlNotify)
		}
		return err
	})
}

// Activations implements Store.
func (c *core) Activations(ctx context.Context, plugin string, limit int) ([]Activation, error) {
	var list []Activation
	err := c.backend.read(ctx, func(q querier) error {
		list = nil
		return q.each(ctx, sqlActivations, []any{plugin, limit}, func(scan scanner) error {
			var a Activation
			var at int64
			var lost []byte
			err := scan(&a.Seq, &a.Plugin, &a.Digest, &a.Canary, &a.Source, &a.By, &at, &lost, &a.Forced, &a.Needed)
			if err != nil {
				return err
			}
			a.At = timeOf(at)
			if string(lost) != "[]" {
				if err := json.Unmarshal(lost, &a.Lost); err != nil {
					return err
				}
			}
			list = append(list, a)
			return nil
		})
	})
	return list, err
}
