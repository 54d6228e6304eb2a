package scaffold_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/payhost/payhost/cmd/payhost/internal/scaffold"
	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// lives holds a plugin to the contract as it was begun: what an author changes later
// starts from something that is right.
func lives(t *testing.T, dir, flow string, packed []byte, cache string) {
	t.Helper()
	provider := till()
	if flow != scaffold.FlowTill {
		var err error
		if provider, err = scenario.Load(filepath.Join(dir, "scenario.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	report, err := conformance.Examine(t.Context(), conformance.Target{
		Plugin: host.Source{Bytes: packed}, Provider: provider,
	}, conformance.Options{
		Level: conformance.L2, Parallel: 2, // the flows are examined at once, and a call must come to its end in two seconds
		CacheDir: cache, Checks: []string{"L0.*", "L1.pay", "L2.cut_*", "L2.twice", "L2.killed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Status == conformance.Failed || r.ID == "L1.pay" && r.Status != conformance.Passed {
			t.Errorf("%s: %s\n%+v", r.ID, r.Sentence, r.Failures)
		}
	}
	if report.Lives < 5 {
		t.Errorf("only %d lives were lived", report.Lives)
	}
}

// till is the provider that the till's templates invent. A scenario has no payer who
// shows a code, so it is written in Go.
func till() conformance.Provider {
	return conformance.Provider{
		Name: "acme-pay",
		Start: func() (conformance.Simulator, error) {
			s := &tillSim{byKey: map[string]string{}}
			s.Kit = simkit.New(simkit.Config{App: s.routes(), Model: tillModel{s}})
			return s, nil
		},
		Connect: func(_ conformance.Simulator, base, _ string) (host.ConnectionConfig, error) {
			return host.ConnectionConfig{
				BaseURL: base, Settings: json.RawMessage(`{"till_id":"s1"}`),
				Secrets: map[string]vault.Secret{"api_key": vault.NewSecret("an-invented-key")},
			}, nil
		},
		Terms: conformance.Terms{
			Currency: "EUR", Amount: 1230, Amounts: []int64{1, 57}, PaymentKind: "payment", RefundKind: "refund",
			Outcomes: conformance.Outcomes{Paid: "authorized", Failed: "failed", Canceled: "canceled"},
			BadCodes: []string{"unknown"},
		},
	}
}

// tillSim is as much of a simulator as the lives above need: it believes what it is
// sent.
type tillSim struct {
	*simkit.Kit
	mu       sync.Mutex
	payments []*tillPayment
	refunds  []simkit.Object
	byKey    map[string]string // the first answer
}

type tillPayment struct {
	id, state      string
	amount, refund int64
	charged        bool
}

// Present returns a code as a payer shows it.
func (s *tillSim) Present(kind string) (string, error) { return "code-" + kind, nil }

func (s *tillSim) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/payments", s.keyed(func(_ *http.Request, b tillBody) (*tillPayment, string) {
		if b.Code != "code-" {
			return nil, "code_invalid"
		}
		p := &tillPayment{id: fmt.Sprintf("p%d", len(s.payments)+1), state: "bound"}
		s.payments = append(s.payments, p)
		return p, ""
	}))
	step := func(to string, from ...string) http.HandlerFunc {
		return s.keyed(func(r *http.Request, b tillBody) (*tillPayment, string) {
			p := s.find(r.PathValue("id"))
			if p == nil || !slices.Contains(from, p.state) {
				return nil, "wrong_state"
			}
			if to == "processing" {
				p.amount, _ = simkit.ParseNumber(b.Amount, 2)
			}
			s.bring(p, to)
			return p, ""
		})
	}
	mux.HandleFunc("POST /v1/payments/{id}/release", step("processing", "bound"))
	mux.HandleFunc("POST /v1/payments/{id}/confirm", step("paid", "authorized", "paid"))
	mux.HandleFunc("POST /v1/payments/{id}/cancel", step("canceled", "bound", "processing", "authorized", "canceled"))
	mux.HandleFunc("POST /v1/refunds", s.keyed(func(_ *http.Request, b tillBody) (*tillPayment, string) {
		p := s.find(b.Payment)
		amount, err := simkit.ParseNumber(b.Amount, 2)
		if p == nil || err != nil || p.state != "paid" || amount > p.amount-p.refund {
			return nil, "wrong_state"
		}
		p.refund += amount
		s.refunds = append(s.refunds, simkit.Object{ID: fmt.Sprintf("r%d", len(s.refunds)+1), Kind: "refund", State: "done", Amount: amount})
		s.Record(simkit.Effect{Kind: simkit.Refund, Object: p.id, Amount: amount})
		return p, ""
	}))
	mux.HandleFunc("GET /v1/payments/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p := s.find(r.PathValue("id"))
		if p == nil {
			simkit.WriteJSON(w, http.StatusNotFound, map[string]string{"code": "not_found"})
			return
		}
		simkit.WriteJSON(w, http.StatusOK, p.view())
	})
	return mux
}

type tillBody struct {
	Code, Payment string
	Amount        json.Number
}

// keyed answers a known key as the first time.
func (s *tillSim) keyed(do func(*http.Request, tillBody) (*tillPayment, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var b tillBody
		key := r.URL.Path + r.Header.Get("Idempotency-Key")
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || r.Header.Get("Authorization") != "Bearer an-invented-key" {
			simkit.WriteJSON(w, http.StatusBadRequest, map[string]string{"code": "bad_field"})
			return
		}
		if s.byKey[key] == "" {
			p, refused := do(r, b)
			if refused != "" {
				simkit.WriteJSON(w, http.StatusConflict, map[string]string{"code": refused})
				return
			}
			first, _ := json.Marshal(p.view())
			s.byKey[key] = string(first)
		}
		simkit.WriteJSON(w, http.StatusOK, json.RawMessage(s.byKey[key]))
	}
}

func (p *tillPayment) view() map[string]any {
	v := map[string]any{"id": p.id, "state": p.state, "payer": "*** 4242"}
	if p.amount > 0 {
		v["amount"] = json.Number(simkit.FormatDecimal(p.amount, 2))
		v["refunded"] = json.Number(simkit.FormatDecimal(p.refund, 2))
	}
	return v
}

// bring needs the lock, as find does.
func (s *tillSim) bring(p *tillPayment, state string) {
	p.state = state
	switch charged := state == "authorized" || state == "paid"; {
	case charged && !p.charged:
		p.charged = true
		s.Record(simkit.Effect{Kind: simkit.Charge, Object: p.id, Amount: p.amount})
	case !charged && p.charged:
		p.charged = false
		s.Record(simkit.Effect{Kind: simkit.Reversal, Object: p.id, Amount: p.amount})
	}
}

func (s *tillSim) find(id string) *tillPayment {
	i := slices.IndexFunc(s.payments, func(p *tillPayment) bool { return p.id == id })
	if i < 0 {
		return nil
	}
	return s.payments[i]
}

// The simulator is its own simkit.Model, under names that the Kit has, too.
type tillModel struct{ *tillSim }

// Objects lists the payments and refunds.
func (m tillModel) Objects() []simkit.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	var objects []simkit.Object
	for _, p := range m.payments {
		objects = append(objects, simkit.Object{ID: p.id, Kind: "payment", State: p.state, Amount: p.amount})
	}
	return append(objects, m.refunds...)
}

// Move brings a payment to a state.
func (m tillModel) Move(id, outcome string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.find(id)
	if p == nil {
		return simkit.ErrNoObject
	}
	m.bring(p, outcome)
	return nil
}

// Reset is not needed.
func (m tillModel) Reset() {}
