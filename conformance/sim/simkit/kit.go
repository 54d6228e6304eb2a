package simkit

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ControlPrefix is the path under which the control API is mounted.
const ControlPrefix = "/_sim/"

// maxBody is the largest request body, in bytes, that a simulator reads; a longer one is answered with 413.
const maxBody = 1 << 20

// Config is what a simulator gives its [Kit].
type Config struct {
	// App answers the provider's own paths. It is required.
	App http.Handler
	// Model holds the provider's objects. It is required.
	Model Model
	// Settings are the doubts that the simulator lets a test decide.
	Settings []Setting
	// Start, when not zero, is the time at which the clock stands still until it is advanced.
	// Zero means the wall clock, shifted by whatever it was advanced.
	Start time.Time
	// AllowRemote lets the simulator call merchants that are not on a loopback address.
	AllowRemote bool
}

// Kit is the body of a simulator. It is an http.Handler, safe for concurrent use. Close it when done.
type Kit struct {
	app      http.Handler
	model    Model
	control  http.Handler
	clock    *clock
	journal  *journal
	ledger   *ledger
	faults   *faultList
	settings *settingList
	courier  *courier
	bomb     func() []byte

	closeOnce sync.Once
	closed    chan struct{}
}

// New builds a Kit. It panics when App or Model is missing or a setting's default is not allowed: those are
// mistakes in the simulator itself.
func New(c Config) *Kit {
	if c.App == nil || c.Model == nil {
		panic("simkit: New needs an App and a Model")
	}
	k := &Kit{
		app:      c.App,
		model:    c.Model,
		clock:    newClock(c.Start),
		journal:  &journal{},
		ledger:   &ledger{},
		faults:   &faultList{},
		settings: newSettingList(c.Settings),
		bomb:     sync.OnceValue(gzipBomb),
		closed:   make(chan struct{}),
	}
	k.courier = newCourier(c.AllowRemote, k.Now)
	k.control = k.controlAPI()
	return k
}

// ServeHTTP journals the request, applies the first armed fault that matches it, and otherwise lets the
// simulator answer. Some faults abort the connection with http.ErrAbortHandler, as a handler under net/http
// may.
func (k *Kit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, ControlPrefix) {
		k.control.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		k.refuseBody(w, r, body, err)
		return
	}
	k.tick()
	fault, hit := k.faults.take(r.Method, r.URL.Path)
	k.journal.add(r, body, fault.Kind, k.Now())
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !hit {
		k.app.ServeHTTP(w, r)
		return
	}
	k.inject(fault, w, r)
}

// refuseBody answers a body that could not be read whole. A client that went away gets nothing.
func (k *Kit) refuseBody(w http.ResponseWriter, r *http.Request, body []byte, err error) {
	k.journal.add(r, body, "", k.Now())
	var tooLarge *http.MaxBytesError
	if !errors.As(err, &tooLarge) {
		Cut()
	}
	http.Error(w, "request body is too large", http.StatusRequestEntityTooLarge)
}

// Now is the simulator's time, in UTC.
func (k *Kit) Now() time.Time { return k.clock.now() }

// Advance moves the clock forward. A d of zero or less does nothing.
func (k *Kit) Advance(d time.Duration) {
	k.clock.advance(d)
	k.tick()
}

// Effects are the money effects so far, oldest first.
func (k *Kit) Effects() []Effect {
	k.tick()
	return k.ledger.list()
}

// Record appends a money effect. The Kit fills in the number and the time.
func (k *Kit) Record(e Effect) {
	e.At = k.Now()
	k.ledger.add(e)
}

// Requests are the latest requests as received, oldest first.
func (k *Kit) Requests() []Request { return k.journal.list() }

// Reset makes the simulator as new. Calls to the merchant that are under way still finish.
func (k *Kit) Reset() {
	k.clock.reset()
	k.faults.clear()
	k.settings.reset()
	k.model.Reset()
	k.ledger.clear()
	k.journal.clear()
	k.courier.clear()
}

// Close ends slow answers, waits for the calls to the merchant that are under way (5 s each at most) and
// refuses new ones. It always returns nil and may be called twice.
func (k *Kit) Close() error {
	k.closeOnce.Do(func() { close(k.closed) })
	k.courier.close()
	return nil
}

// tick lets a model that does things by itself catch up with the clock.
func (k *Kit) tick() {
	if t, ok := k.model.(Ticker); ok {
		t.Tick()
	}
}

// Cut closes the connection without an answer. It does not return.
func Cut() {
	// net/http documents this panic as the way to abort: it closes the connection and logs nothing.
	panic(http.ErrAbortHandler)
}
