package store

import (
	"context"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// riverLog brings what River says to our log. Its news are our details, and its errors our warnings: all of them are
// about something that is tried again.
func riverLog(log hclog.Logger) *slog.Logger { return slog.New(&logHandler{log: log.Named("river")}) }

type logHandler struct {
	log   hclog.Logger
	attrs []any
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	if level >= slog.LevelWarn {
		return h.log.IsWarn()
	}
	return h.log.IsDebug()
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	args := append([]any(nil), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		args = append(args, a.Key, a.Value.Any())
		return true
	})
	if r.Level >= slog.LevelWarn {
		h.log.Warn(r.Message, args...)
	} else {
		h.log.Debug(r.Message, args...)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := &logHandler{log: h.log, attrs: append([]any(nil), h.attrs...)}
	for _, a := range attrs {
		with.attrs = append(with.attrs, a.Key, a.Value.Any())
	}
	return with
}

// WithGroup implements slog.Handler. River has no groups.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
