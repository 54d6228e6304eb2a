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
