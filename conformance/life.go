package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// Life is one life of a payment, from the merchant's request to its end: a
// simulator of its own, a ledger of its own, a time of its own, and the plugin's own
// connection to the simulator, with a [wire.Wire] on it. It plays the merchant (by
// payhost's HTTP API), the payer (by the simulator) and the network (by the wire).
//
// Its methods end the life when they can't go on, and note the failure with its
// evidence. They are for one goroutine.
type Life struct {
	Sim   Simulator
	Wire  *wire.Wire
	Terms Terms
	// Connection is the name of the plugin's connection to the simulator.
	Connection string
	// Manifest is what the plugin says of itself.
	Manifest pay.Manifest

	ctx          context.Context
	suite        *suite
	station      *station
	dir          string
	config       host.ConnectionConfig
	stopSim      func()
	front        *front
	process      *process
	processes    int
	plan         killPlan
	keys         int
	orders       int
	where        string // what is done to the plugin
	only         string // how to run this life alone
	skipped      string
	failures     []Failure
	payments     []string // ids of the payments that were begun
	codes        []string // that payers have shown
	reconfigured bool     // the operator changed the connection, and what it sends with it
	open         bool     // a doubt may stay, if it can be seen
	resigned     bool     // any end will do, if it is the provider's too
	forgiving    bool     // refused credentials are mended, and the merchant tries again

	noted   noted  // what became of the provider's calls
	between func() // called between two steps, and before time goes by; nil for nothing

	mu   sync.Mutex
	step string
}

// lifeOver ends a life from within; see [Life.Fatalf].
type lifeOver struct{}

// newLife opens the world. The caller must close it.
func (s *suite) newLife(ctx context.Context, st *station, plan killPlan) (*Life, error) {
	l := &Life{suite: s, station: st, ctx: ctx, Terms: s.target.Provider.Terms, Manifest: st.manifest, plan: plan}
	l.Connection = st.nextName()
	var err error
	if l.dir, err = os.MkdirTemp(s.dir, "life-*"); err != nil {
		return nil, err
	}
	st.clock.reset()
	if l.Sim, err = s.target.Provider.Start(); err != nil {
		return l, fmt.Errorf("simulator: %w", err)
	}
	base, stop, err := serveSimulator(l.Sim)
	if err != nil {
		return l, fmt.Errorf("simulator: %w", err)
	}
	l.stopSim = stop
	l.Wire = &wire.Wire{
		Now: st.clock.Now, Effects: func() int { return len(l.Sim.Effects()) }, Step: l.at, Kill: l.kill,
	}
	st.wires.Store(l.Connection, l.Wire)
	if l.config, err = s.target.Provider.Connect(l.Sim, base, l.dir); err != nil {
		return l, fmt.Errorf("connection: %w", err)
	}
	l.config.Name, l.config.Plugin = l.Connection, pluginName
	l.config.Egress.AllowPrivate, l.config.Egress.AllowHTTP = true, true
	if l.front, err = newFront(l); err != nil {
		return l, err
	}
	return l, l.start()
}

// start begins a process of payhost: a connection of the plugin, the engine, and the
// API before it.
func (l *Life) start() error {
	l.Wire.Up()
	if _, err := l.station.host.Connect(l.ctx, l.config); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	l.processes++
	var err error
	l.process, err = l.newProcess()
	return err
}

// kill ends the process as SIGKILL would: from here on nothing that it does has an
// effect.
func (l *Life) kill() {
	l.process.die()
	l.Wire.Down()
}

// dead reports whether the process was killed.
func (l *Life) dead() bool { return l.process.dead.Load() }

// revive starts a process after the last one was killed.
func (l *Life) revive() {
	if l.processes > 20 {
		l.Fatalf("payhost dies again and again")
	}
	l.Restart()
}

// Restart ends the process, if it still lives, and starts another on what is stored.
func (l *Life) Restart() {
	l.end()
	if err := l.start(); err != nil {
		l.Fatalf("payhost does not start again: %v", err)
	}
}

// end ends the process.
func (l *Life) end() {
	if l.process != nil {
		l.process.close()
	}
	l.station.host.Disconnect(l.Connection)
}

// close frees everything.
func (l *Life) close() {
	if l.Wire != nil {
		l.Wire.Disarm()
	}
	l.end()
	if l.front != nil {
		l.front.close()
	}
	if l.Wire != nil {
		l.Wire.Close()
	}
	if l.stopSim != nil {
		l.stopSim()
	}
	if l.Sim != nil {
		_ = l.Sim.Close()
	}
	l.station.wires.Delete(l.Connection)
	l.station.calls.forget(l.Connection)
	_ = os.RemoveAll(l.dir)
}

// Recordings are the plugin's calls in this life, oldest first and not masked.
func (l *Life) Recordings() []*host.Recording { return l.station.calls.of(l.Connection) }

// Now is the time in this life.
func (l *Life) Now() time.Time { return l.station.clock.Now() }

// at says what the merchant is at.
func (l *Life) at() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.step
}

// Step says what the merchant is at, for the evidence.
func (l *Life) Step(format string, args ...any) {
	l.mu.Lock()
	l.step = fmt.Sprintf(format, args...)
	l.mu.Unlock()
	if l.between != nil {
		l.between()
	}
}

// Failf notes that something is wrong, with the evidence as it is now, and goes on.
func (l *Life) Failf(format string, args ...any) {
	l.failures = append(l.failures, Failure{
		Message: fmt.Sprintf(format, args...), Where: l.where, Reproduce: l.only,
		Timeline: l.timelines(), Wire: l.wireLines(), Effects: l.effectLines(), Log: l.station.log.lines(l.Connection),
	})
}

// Fatalf is Failf, and ends the life.
func (l *Life) Fatalf(format string, args ...any) {
	l.Failf(format, args...)
	panic(lifeOver{})
}

// Skipf ends the life: there is nothing to check, for the reason given.
func (l *Life) Skipf(format string, args ...any) {
	l.skipped = fmt.Sprintf(format, args...)
	panic(lifeOver{})
}

// Must ends the life if err is not nil.
func (l *Life) Must(err error) {
	if err != nil {
		l.Fatalf("%v", err)
	}
}

// Has reports whether the plugin declares an operation.
func (l *Life) Has(op pay.Operation) bool {
	_, ok := l.Manifest.Operation(op)
	return ok
}

// Till reports whether the plugin's flow is that of a till.
func (l *Life) Till() bool {
	return len(l.Manifest.Flows) > 0 && l.Manifest.Flows[0] == pay.FlowTill
}

// Calls returns the host's connection, to call an operation without the engine.
func (l *Life) Calls() *host.Connection {
	c, ok := l.station.host.Connection(l.Connection)
	if !ok {
		l.Fatalf("connection is gone")
	}
	return c
}

// Pass lets time go by, here and at the provider, and payhost do what is due.
func (l *Life) Pass(d time.Duration) {
	if l.between != nil {
		l.between()
	}
	l.station.clock.advance(d)
	l.Sim.Advance(d)
	l.Work()
}

// Work has payhost do what is due.
func (l *Life) Work() {
	err := l.process.work(l.ctx)
	l.settle()
	if l.dead() {
		l.revive()
		return
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		l.Fatalf("payhost's work fails: %v", err)
	}
}

// settle waits for the calls that the provider makes.
func (l *Life) settle() {
	if c, ok := l.Sim.(Caller); ok {
		c.WaitDeliveries()
	}
}

// nextDue returns how long it is until payhost has something to do.
func (l *Life) nextDue() (time.Duration, bool) {
	due, err := l.process.store.NextDue(l.ctx)
	if err != nil {
		return 0, false
	}
	at, ok := due[l.Connection]
	return max(0, at.Sub(l.Now())) + time.Millisecond, ok
}

// Object returns the newest object of a kind at the provider whose id or reference
// is the one given, or begins with it and a dash; of any if it is empty.
func (l *Life) Object(kind, ref string) (simkit.Object, bool) {
	objects := l.Sim.Objects()
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		if o.Kind == kind && (ref == "" || o.ID == ref || o.Ref == ref || strings.HasPrefix(o.Ref, ref+"-")) {
			return o, true
		}
	}
	return simkit.Object{}, false
}

// Move brings an object of the provider to an outcome.
func (l *Life) Move(id, outcome string) {
	if err := l.Sim.Move(id, outcome); err != nil {
		l.Fatalf("simulator: move %s to %s: %v", id, outcome, err)
	}
	l.settle()
	if l.dead() {
		l.revive()
	}
}
