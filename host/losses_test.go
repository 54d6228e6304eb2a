package host_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// lesser is the probe without refund, notification and its currency, and with a flow in place of another.
type lesser struct{ probe.Provider }

func (l lesser) Manifest() pay.Manifest {
	m := l.Provider.Manifest()
	m.Operations = slices.DeleteFunc(m.Operations, func(s pay.OperationSpec) bool {
		return s.Operation == pay.OpRefund || s.Operation == pay.OpNotification
	})
	m.Flows = []pay.Flow{pay.FlowQR}
	m.Currencies = []pay.CurrencySpec{{Currency: pay.RUB, Step: 1}}
	return m
}

func TestLost(t *testing.T) {
	t.Parallel()
	whole, less := probe.New().Manifest(), lesser{probe.New()}.Manifest()
	want := host.Losses{
		Operations: []pay.Operation{pay.OpNotification, pay.OpRefund},
		Flows:      []pay.Flow{pay.FlowRedirect}, Currencies: []pay.Currency{pay.KZT},
	}
	got := host.Lost(&whole, &less)
	if d := cmp.Diff(want, got); d != "" || got.None() {
		t.Error(d)
	}
	if text := got.String(); text != "notification, refund, flow redirect, currency KZT" {
		t.Errorf("text %q", text)
	}
	same := host.Lost(&whole, &whole)
	if d := cmp.Diff(host.Losses{}, same); d != "" || !same.None() || same.String() != "nothing" {
		t.Errorf("of itself: %s %s", same, d)
	}
	back := host.Losses{Flows: []pay.Flow{pay.FlowQR}, Currencies: []pay.Currency{pay.RUB}}
	if d := cmp.Diff(back, host.Lost(&less, &whole)); d != "" {
		t.Error(d)
	}
}

// TestLostByChange names what a revision declares otherwise of a currency, of a second send and of notifications, and
// nothing where it declares more, or what one call alone goes by.
func TestLostByChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*pay.Manifest)
		want   string
		back   string // what the way back loses
	}{
		"what one call goes by": {func(m *pay.Manifest) {
			m.BatchSize, m.PollInterval, m.NotProcessed503, m.VisibilityHorizon = 1, time.Hour, true, time.Second
			m.Operations[5].MoneyCalls, m.Operations[7].KeySetting = 1, "level"
		}, "nothing", "nothing"},
		"bounds": {
			func(m *pay.Manifest) {
				m.Currencies = []pay.CurrencySpec{{Currency: pay.KZT, Step: 300, Min: 600, Max: 40_000}}
			},
			"amounts KZT step 1.00 KZT to 3.00 KZT and min 1.00 KZT to 6.00 KZT and max 1000000.00 KZT to 400.00 KZT", "nothing",
		},
		"a finer step that was none": {
			func(m *pay.Manifest) {
				m.Currencies = []pay.CurrencySpec{{Currency: pay.KZT, Step: 1, Min: 1}}
			},
			"nothing", "amounts KZT step 0.01 KZT to 1.00 KZT and min 0.01 KZT to 1.00 KZT and max none to 1000000.00 KZT",
		},
		"idempotency": {
			func(m *pay.Manifest) {
				m.Operations[6].Idempotency, m.Operations[6].KeyForm = pay.IdempotencyNone, pay.KeyNone
			},
			"repeat refund idempotency native to none and key uuid to none", "repeat refund key none to uuid",
		},
		"of what is never sent again": {
			func(m *pay.Manifest) { m.Operations[7].Idempotency = pay.IdempotencyNatural },
			"nothing", "repeat cancel idempotency natural to none",
		},
		"key's length":  {func(m *pay.Manifest) { m.Operations[5].KeyMaxLen = 20 }, "repeat create key length 64 to 20", "nothing"},
		"key's life":    {func(m *pay.Manifest) { m.Operations[6].KeyLifetime = time.Hour }, "repeat refund key lifetime 24h0m0s to 1h0m0s", "nothing"},
		"of no native":  {func(m *pay.Manifest) { m.Operations[5].KeyLifetime = time.Hour }, "nothing", "nothing"},
		"notifications": {func(m *pay.Manifest) { m.Notification = pay.AuthenticityWeak }, "notification strong to weak", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now, next := probe.New().Manifest(), probe.New().Manifest()
			tt.change(&next)
			there, back := host.Lost(&now, &next), host.Lost(&next, &now)
			if there.String() != tt.want || back.String() != tt.back || there.None() != (tt.want == "nothing") {
				t.Errorf("lost %q, and back %q; want %q and %q", there, back, tt.want, tt.back)
			}
		})
	}
}

// TestSwapIf asks what may be lost, keeps to the answer, and leaves nothing behind of what was refused.
func TestSwapIf(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Bytes: probeModule(t)})
	before, _ := r.host.Revision("probe")
	next := host.Source{Native: sdk.Native(lesser{probe.New()})}
	no := errors.New("no")
	var asked []host.Losses
	if _, err := r.host.SwapIf(t.Context(), "probe", next, func(l host.Losses) error {
		asked = append(asked, l)
		return no
	}); !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	if now, _ := r.host.Revision("probe"); now != before || r.conn.Revision() != before.Digest() {
		t.Error("something was put in place")
	}
	if _, err := r.conn.Create(t.Context(), create("")); err != nil {
		t.Errorf("call after the refusal: %v", err)
	}
	rev, err := r.host.SwapIf(t.Context(), "probe", next, func(l host.Losses) error { asked = append(asked, l); return nil })
	if err != nil || r.conn.Revision() != rev.Digest() {
		t.Errorf("agreed to: %v", err)
	}
	// Once when it was refused; twice, before the switch and just before it, when it was not.
	if len(asked) != 3 || asked[0].String() != asked[1].String() || asked[1].String() != asked[2].String() ||
		asked[0].String() != "notification, refund, flow redirect, currency KZT" {
		t.Errorf("asked about %v", asked)
	}
	same := func(host.Losses) error { asked = append(asked, host.Losses{}); return nil }
	if _, err := r.host.SwapIf(t.Context(), "probe", host.Source{Native: sdk.Native(lesser{probe.New()})}, same); err != nil || len(asked) != 4 {
		t.Errorf("what loses nothing is asked about %d times, %v", len(asked)-3, err)
	}
	if _, err := r.host.SwapIf(t.Context(), "probe", host.Source{Bytes: []byte("x")}, func(host.Losses) error {
		t.Error("asked about what does not load")
		return nil
	}); err == nil {
		t.Error("loaded")
	}
}

// TestBegin has a swap that loses something wait for what has begun, and refuses it at the last question: what comes
// meanwhile waits, and goes on as before.
func TestBegin(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Bytes: probeModule(t)})
	before := r.conn.Revision()
	done, other := r.conn.Begin(), r.conn.Begin() // of two operations
	no, asked, began := errors.New("no"), 0, make(chan struct{})
	ended := make(chan error)
	first := make(chan struct{})
	go func() {
		_, err := r.host.SwapIf(t.Context(), "probe", host.Source{Native: sdk.Native(lesser{probe.New()})}, func(host.Losses) error {
			if asked++; asked == 1 {
				close(first)
				return nil
			}
			go func() { r.conn.Begin()(); close(began) }()
			select {
			case <-began:
				t.Error("an operation began while the swap asked for the last time")
			case <-time.After(100 * time.Millisecond):
			}
			return no
		})
		ended <- err
	}()
	<-first
	select {
	case err := <-ended:
		t.Errorf("did not wait for what had begun: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	done()
	done() // does no harm
	other()
	if err := <-ended; !errors.Is(err, no) || asked != 2 || r.conn.Revision() != before {
		t.Errorf("asked %d times, %v, runs %.12s", asked, err, r.conn.Revision())
	}
	<-began
	if _, err := r.conn.Create(t.Context(), create("")); err != nil {
		t.Errorf("call after the refusal: %v", err)
	}
}

// TestSwapIfPanics has the question break down, as in a server that recovers: operations
// begin as before.
func TestSwapIfPanics(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the question's panic was swallowed")
			}
		}()
		asked := 0
		_, _ = r.host.SwapIf(t.Context(), "probe", host.Source{Native: sdk.Native(lesser{probe.New()})}, func(host.Losses) error {
			if asked++; asked == 2 {
				panic("out of order")
			}
			return nil
		})
	}()
	began := make(chan struct{})
	go func() { r.conn.Begin()(); close(began) }()
	select {
	case <-began:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing can begin any more")
	}
}
