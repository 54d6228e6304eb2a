package sdk

import (
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/internal/guest"
	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Host is a plugin's handle on its host, good for the one call it was handed to.
// It is not safe for concurrent use.
type Host struct {
	g          guest.Imports
	config     abi.ConnectionConfig
	configured bool       // config was read
	settings   json.Value // parsed once; Missing until then
	kept       int        // blobs that were left to the end of the call

	// These are here to be allocated with the Host.
	create pay.CreateRequest
	answer Response // the first one
}

// BaseURL returns the connection's base URL, without a slash at its end.
func (h *Host) BaseURL() string { return h.connection().BaseURL }

// Connection returns the connection's name, as the operator gave it.
func (h *Host) Connection() string { return h.connection().Connection }

// Settings returns the connection's settings, already checked against the
// manifest's schema: an object, empty if there are none.
func (h *Host) Settings() json.Value {
	if h.settings.Kind() == json.Missing {
		h.settings, _ = json.Parse(h.connection().Settings) // the host has checked it
	}
	return h.settings
}

// Setting returns a setting's text, or fallback if it is not set.
func (h *Host) Setting(name, fallback string) string {
	if s, ok := h.Settings().Get(name).Text(); ok {
		return s
	}
	return fallback
}

// HasKey reports whether the operator bound a key of this name.
func (h *Host) HasKey(name string) bool { return contains(h.connection().Keys, name) }

// HasSecret reports whether the operator bound a secret of this name.
func (h *Host) HasSecret(name string) bool { return contains(h.connection().Secrets, name) }

// HasIdentity reports whether the operator bound a TLS identity of this name.
func (h *Host) HasIdentity(name string) bool { return contains(h.connection().Identities, name) }

// Now returns the host's clock, in UTC.
func (h *Host) Now() time.Time { return time.Unix(0, h.g.NowNS()).UTC() }

// TimeLeft returns how long the call may still take; 0 when it is over.
func (h *Host) TimeLeft() time.Duration { return time.Duration(h.g.DeadlineNS()) }

// Sleep waits. The host ends the wait with the call.
func (h *Host) Sleep(d time.Duration) { h.g.Sleep(d) }

// Random fills p with cryptographically strong bytes. Use it for every id and
// nonce: math/rand repeats itself in a sandbox that is put back after each call.
func (h *Host) Random(p []byte) error { return h.check(h.g.Random(p)) }

// Level is how loud a log line is.
type Level int32

// The levels of [Host.Log].
const (
	Debug Level = abi.LogDebug
	Info  Level = abi.LogInfo
	Warn  Level = abi.LogWarn
	Error Level = abi.LogError
)

// Log writes a line to the host's log, with pairs of names and values behind it.
// The host masks secrets, card numbers and e-mail addresses; names of people it
// can't know, so leave them out.
func (h *Host) Log(level Level, message string, pairs ...string) {
	line := append(make([]byte, 0, 128), message...)
	for i := 0; i+1 < len(pairs); i += 2 {
		line = append(line, ' ')
		line = append(line, pairs[i]...)
		line = append(line, '=')
		line = append(line, pairs[i+1]...)
	}
	h.g.Log(int32(level), line)
}

func (h *Host) connection() *abi.ConnectionConfig {
	if !h.configured {
		h.configured = true
		if raw, err := full(guest.Imports.Config, h.g); err == nil {
			h.config, _ = abi.DecodeConnectionConfig(raw) // what does not decode leaves it empty
		}
	}
	return &h.config
}

// check turns a negative code into an error that says what the host says of it.
func (h *Host) check(code int32) error {
	if code >= 0 {
		return nil
	}
	return h.failure(code)
}

func (h *Host) failure(code int32) error {
	e := &pay.Error{Class: classOf(abi.Code(code)), Message: abi.Code(code).Error(), Err: abi.Code(code)}
	if raw, err := full(guest.Imports.LastError, h.g); err == nil && len(raw) > 0 {
		if told, err := abi.DecodeError(raw); err == nil {
			told.Err = abi.Code(code)
			e = &told
		}
	}
	return e
}

// classOf is what a code means when the host has no more to say.
func classOf(code abi.Code) pay.Class {
	switch code {
	case abi.NotSent:
		return pay.ClassUnavailable
	case abi.OutcomeUnknown, abi.Deadline:
		return pay.ClassTimeout
	case abi.TooLarge, abi.Quota:
		return pay.ClassLimit
	case abi.NotFound, abi.Denied:
		return pay.ClassConfig
	case abi.Internal:
		return pay.ClassHostFault
	}
	return pay.ClassPluginFault
}

// full reads what a copying import has, whatever its length.
func full(read func(guest.Imports, []byte) int32, g guest.Imports) ([]byte, error) {
	buf := slab.Rest(512)
	n := read(g, buf)
	if int(n) > len(buf) {
		buf = slab.Rest(int(n))
		n = read(g, buf)
	}
	if n < 0 {
		return nil, abi.Code(n)
	}
	if int(n) > len(buf) { // the host has changed its mind
		return nil, abi.Internal
	}
	slab.Keep(int(n))
	return buf[:n:n], nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
