package host_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// notebook is a journal that can be told to fail.
type notebook struct {
	mu      sync.Mutex
	began   []host.Outbound
	ended   []host.Outbound
	wires   []*egress.Exchange
	failAt  int // number of the call from which on Before fails; 0 for never
	err     error
	onCall  func(ctx context.Context)
	afterIn context.Context
}

// Before implements host.Journal.
func (n *notebook) Before(ctx context.Context, call host.Outbound) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.began = append(n.began, call)
	if n.onCall != nil {
		n.onCall(ctx)
	}
	if n.failAt > 0 && call.Number >= n.failAt {
		return n.err
	}
	return nil
}

// After implements host.Journal.
func (n *notebook) After(ctx context.Context, call host.Outbound, x *egress.Exchange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.afterIn = ctx
	n.ended, n.wires = append(n.ended, call), append(n.wires, x)
}

// diskError is an error of a type of its own, as a database's are.
type diskError struct{ page int }

// Error implements error.
func (e *diskError) Error() string { return fmt.Sprintf("disk full at page %d", e.page) }

// swallowing is the probe with a create that sends as often as it can and then
// says whatever it is told to.
func swallowing(path func(i int) string, result *pay.Result, fault error) host.Source {
	return host.Source{Native: sdk.Native(stubborn{Provider: probe.New(), path: path, result: result, fault: fault})}
}

type stubborn struct {
	probe.Provider
	path   func(i int) string
	result *pay.Result
	fault  error
}

// Create sends three requests, whatever comes back.
func (s stubborn) Create(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
	for i := range 3 {
		effect := sdk.Money
		if strings.HasPrefix(s.path(i), "/read") {
			effect = sdk.Read
		}
		_, _ = h.Send(&sdk.Request{Method: "POST", URL: s.path(i), Effect: effect})
	}
	return s.result, s.fault
}

func always(path string) func(int) string { return func(int) string { return path } }

// TestJournalRefuses lets writing down fail: nothing leaves, whatever the plugin
// makes of it, and the caller gets the journal's own error.
func TestJournalRefuses(t *testing.T) {
	t.Parallel()
	claims := &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: "x"}
	all := sources(t)
	all["swallows and claims"] = swallowing(always("/pay/create"), claims, nil)
	all["reads and claims"] = swallowing(always("/read/x"), claims, nil)
	all["says declined"] = swallowing(always("/pay/create"), &pay.Result{Outcome: pay.OutcomeDeclined}, nil)
	all["says in doubt"] = swallowing(always("/pay/create"), &pay.Result{Outcome: pay.OutcomeInDoubt}, nil)
	all["replaces the error"] = swallowing(always("/pay/create"), nil, &pay.Error{Class: pay.ClassDeclined, Effect: pay.EffectMaybe})
	for name, source := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			cause := &diskError{page: 7}
			book := &notebook{failAt: 1, err: fmt.Errorf("write down: %w", cause)}
			result, err := r.conn.Create(t.Context(), create(""), host.WithJournal(book))
			var disk *diskError
			if !errors.Is(err, book.err) || !errors.As(err, &disk) || disk != cause {
				t.Errorf("error %v does not wrap the journal's", err)
			}
			checkError(t, err, pay.ClassHostFault, pay.EffectNone)
			if result.Outcome != pay.OutcomeNotApplied || result.Evidence.Wire != pay.WireNone || len(result.Calls) != 0 {
				t.Errorf("outcome %s, wire %s, %d calls", result.Outcome, result.Evidence.Wire, len(result.Calls))
			}
			if len(r.requests()) != 0 || len(book.began) != 1 || len(book.ended) != 0 {
				t.Errorf("requests %q, before %v, after %v", r.requests(), book.began, book.ended)
			}
		})
	}
}

// TestJournalErrorKeepsItsClass gives the error of the engine, class and all.
func TestJournalErrorKeepsItsClass(t *testing.T) {
	t.Parallel()
	own := &pay.Error{
		Class: pay.ClassInProgress, Advice: pay.AdviceProbe, Field: "key", Message: "runs elsewhere", Err: errors.ErrUnsupported,
	}
	before := *own
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	book := &notebook{failAt: 1, err: fmt.Errorf("fence: %w", own)}

	_, err := r.conn.Create(t.Context(), create(""), host.WithJournal(book))
	checkError(t, err, pay.ClassInProgress, pay.EffectNone)
	e := pay.AsError(err)
	if e.Advice != pay.AdviceProbe || e.Field != "key" || e.Message != "runs elsewhere" || e.Operation != pay.OpCreate {
		t.Errorf("error %+v", e)
	}
	for _, want := range []error{own, book.err, errors.ErrUnsupported} {
		if !errors.Is(err, want) {
			t.Errorf("error %v does not wrap %v", err, want)
		}
	}
	if *own != before {
		t.Errorf("the engine's error was changed: %+v", own)
	}

	request := create("")
	request.Earlier.InDoubt = true
	result, err := r.conn.Create(t.Context(), request, host.WithJournal(book))
	if result.Outcome != pay.OutcomeInDoubt || !errors.Is(err, own) {
		t.Errorf("after a doubt: outcome %s, error %v", result.Outcome, err)
	}
	checkError(t, err, pay.ClassInProgress, pay.EffectMaybe)
}

// TestJournalFailsLate lets the second call not be written down: the first stands.
func TestJournalFailsLate(t *testing.T) {
	t.Parallel()
	lost := func(class pay.Class) error { return &pay.Error{Class: class} }
	readFirst := func(i int) string { return []string{"/read/x", "/pay/create", "/pay/create"}[i] }
	tests := map[string]struct {
		path    func(int) string
		result  *pay.Result
		fault   error
		outcome pay.Outcome
		class   pay.Class // 0 for no error
	}{
		"money sent, claims":    {always("/pay/create"), &pay.Result{Outcome: pay.OutcomeApplied}, nil, pay.OutcomeApplied, 0},
		"money sent, declines":  {always("/pay/create"), nil, lost(pay.ClassDeclined), pay.OutcomeDeclined, pay.ClassDeclined},
		"money sent, fails":     {always("/pay/create"), nil, lost(pay.ClassProtocol), pay.OutcomeInDoubt, pay.ClassProtocol},
		"only read, claims":     {readFirst, &pay.Result{Outcome: pay.OutcomeApplied}, nil, pay.OutcomeNotApplied, pay.ClassHostFault},
		"only read, in doubt":   {readFirst, &pay.Result{Outcome: pay.OutcomeInDoubt}, nil, pay.OutcomeInDoubt, pay.ClassHostFault},
		"money refused, claims": {always("/elsewhere"), &pay.Result{Outcome: pay.OutcomeApplied}, nil, pay.OutcomeNotApplied, pay.ClassHostFault},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, swallowing(tt.path, tt.result, tt.fault))
			book := &notebook{failAt: 2, err: &diskError{}}
			result, err := r.conn.Create(t.Context(), create(""), host.WithJournal(book))
			if result.Outcome != tt.outcome || pay.ClassOf(err) != tt.class {
				t.Errorf("outcome %s, error %v of class %s, want %s, %s", result.Outcome, err, pay.ClassOf(err), tt.outcome, tt.class)
			}
			if err != nil && !errors.Is(err, book.err) {
				t.Errorf("error %v does not wrap the journal's", err)
			}
			if len(book.began) != 2 || len(book.ended) != 1 || len(r.requests()) > 1 {
				t.Errorf("before %v, after %v, requests %q", book.began, book.ended, r.requests())
			}
		})
	}
}

// TestJournalSeesEveryCall holds what is written down against the wire.
func TestJournalSeesEveryCall(t *testing.T) {
	t.Parallel()
	r := newRig(t, swallowing(func(i int) string {
		return []string{"/read/x?token=hidden&b", "/pay/create", "/elsewhere"}[i]
	}, &pay.Result{Outcome: pay.OutcomeApplied}, nil))
	book := &notebook{}
	sent := []int{}
	book.onCall = func(context.Context) { sent = append(sent, len(r.requests())) }
	result, err := r.conn.Create(t.Context(), create(""), host.WithJournal(book))
	if err != nil {
		t.Fatal(err)
	}
	want := []host.Outbound{
		{Number: 1, Method: "POST", URL: r.server.URL + "/read/x?token=…&…"},
		{Number: 2, Money: true, Method: "POST", URL: r.server.URL + "/pay/create"},
		{Number: 3, Money: true, Method: "POST", URL: r.server.URL + "/elsewhere"},
	}
	if !reflect.DeepEqual(book.began, want) || !reflect.DeepEqual(book.ended, want) {
		t.Errorf("before %v\nafter %v\nwant %v", book.began, book.ended, want)
	}
	if !reflect.DeepEqual(sent, []int{0, 1, 2}) {
		t.Errorf("requests sent at each before: %v", sent)
	}
	if !reflect.DeepEqual(book.wires, result.Calls) || len(book.wires) != 3 {
		t.Fatalf("exchanges %v, want %v", book.wires, result.Calls)
	}
	if x := book.wires[1]; x.Status != 200 || x.Evidence != egress.Answered || x.URL != want[1].URL {
		t.Errorf("exchange %v", x)
	}
	if x := book.wires[2]; x.Evidence != egress.NotSent {
		t.Errorf("a refused call: %v", x)
	}
}

// TestJournalOfACallerGone has the caller leave in the middle: what Before allowed
// is written down to its end.
func TestJournalOfACallerGone(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var during error
			book := &notebook{onCall: func(ctx context.Context) { during = ctx.Err(); cancel() }}
			result, err := r.conn.Create(ctx, create(""), host.WithJournal(book))
			if result.Outcome != pay.OutcomeNotApplied || err == nil || during != nil {
				t.Errorf("outcome %s, error %v; before: %v", result.Outcome, err, during)
			}
			if len(book.wires) != 1 || book.wires[0].Evidence != egress.NotSent || book.afterIn.Err() != nil {
				t.Errorf("after %v, its context %v", book.wires, book.afterIn)
			}
		})
	}
}
