package store

import (
	"context"
	"fmt"
)

// LimitPages keeps the database from growing beyond so many pages.
func LimitPages(ctx context.Context, s *SQLite, pages int) error {
	_, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// UniqueKey is what River is taken to make of a job's kind and key.
func UniqueKey(kind JobKind, key string) []byte { return uniqueKey(jobName{kind, key}) }
