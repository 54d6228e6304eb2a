package host_test

import (
	"errors"
	"slices"
	"testing"

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
	if len(asked) != 2 || asked[0].String() != asked[1].String() || asked[0].String() != "notification, refund, flow redirect, currency KZT" {
		t.Errorf("asked about %v", asked)
	}
	if _, err := r.host.SwapIf(t.Context(), "probe", host.Source{Bytes: []byte("x")}, func(host.Losses) error {
		t.Error("asked about what does not load")
		return nil
	}); err == nil {
		t.Error("loaded")
	}
}
