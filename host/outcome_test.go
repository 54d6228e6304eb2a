package host_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// TestOutcome holds the verdict against contract section 3, on a real wire, for
// the same plugin natively and in Wasm.
func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		do      string
		answer  http.HandlerFunc
		earlier pay.Wire
		outcome pay.Outcome
		class   pay.Class // 0 for no error
		effect  pay.Effect
		wire    pay.Wire
	}{
		{"applied", "", nil, 0, pay.OutcomeApplied, 0, 0, pay.WireAnswered},
		{"declined", "", status(402, `{}`), 0, pay.OutcomeDeclined, pay.ClassDeclined, pay.EffectNone, pay.WireAnswered},
		{"refused", "", status(400, `{"field":"amount"}`), 0, pay.OutcomeNotApplied, pay.ClassInvalidRequest, pay.EffectNone, pay.WireAnswered},
		{"answer lost", "", hangUp, 0, pay.OutcomeInDoubt, pay.ClassUnavailable, pay.EffectMaybe, pay.WireUnknown},
		{"server error", "", status(500, `{"id":"p1"}`), 0, pay.OutcomeInDoubt, pay.ClassProtocol, pay.EffectMaybe, pay.WireAnswered},
		{"server error that the plugin calls refused", "", status(503, `{}`), 0, pay.OutcomeInDoubt, pay.ClassProtocol, pay.EffectMaybe, pay.WireAnswered},
		{"HTML", "", status(200, `<html>`), 0, pay.OutcomeInDoubt, pay.ClassProtocol, pay.EffectMaybe, pay.WireAnswered},
		{"no id", "", status(200, `{}`), 0, pay.OutcomeInDoubt, pay.ClassProtocol, pay.EffectMaybe, pay.WireAnswered},
		{"too many requests", "", status(429, `{}`), 0, pay.OutcomeNotApplied, pay.ClassRateLimited, pay.EffectNone, pay.WireAnswered},
		{"undeclared path", "path /elsewhere", nil, 0, pay.OutcomeNotApplied, pay.ClassConfig, pay.EffectNone, pay.WireNotSent},
		{"undeclared host", "url https://evil.example/pay", nil, 0, pay.OutcomeNotApplied, pay.ClassConfig, pay.EffectNone, pay.WireNotSent},
		{"secret in a slot not declared", "basic", nil, 0, pay.OutcomeNotApplied, pay.ClassConfig, pay.EffectNone, pay.WireNotSent},
		{"claims without sending", "claim", nil, 0, pay.OutcomeNotApplied, pay.ClassPluginFault, pay.EffectNone, pay.WireNone},
		{"claims after a lost answer", "claim-after-loss", hangUp, 0, pay.OutcomeInDoubt, pay.ClassTimeout, pay.EffectMaybe, pay.WireUnknown},
		{"declines after a lost answer", "decline-after-loss", hangUp, 0, pay.OutcomeInDoubt, pay.ClassTimeout, pay.EffectMaybe, pay.WireUnknown},
		{"calls a write a read", "lie-read", hangUp, 0, pay.OutcomeInDoubt, pay.ClassUnavailable, pay.EffectMaybe, pay.WireUnknown},
		{"traps before sending", "trap", nil, 0, pay.OutcomeNotApplied, pay.ClassPluginFault, pay.EffectNone, pay.WireNone},
		{"traps after an answer", "trap-after-send", nil, 0, pay.OutcomeInDoubt, pay.ClassPluginFault, pay.EffectMaybe, pay.WireAnswered},
		{"passes on a later failure of the host: budget", "lost-after-answer", nil, 0, pay.OutcomeInDoubt, pay.ClassLimit, pay.EffectMaybe, pay.WireAnswered},
		{"passes on a later failure of the host: policy", "denied-after-answer", nil, 0, pay.OutcomeInDoubt, pay.ClassConfig, pay.EffectMaybe, pay.WireAnswered},
		{"no result and no error", "nil", nil, 0, pay.OutcomeNotApplied, pay.ClassPluginFault, pay.EffectNone, pay.WireNone},
		{"an error of no class", "plain", nil, 0, pay.OutcomeNotApplied, pay.ClassPluginFault, pay.EffectNone, pay.WireNone},
		{"an outcome that is none", "odd", nil, 0, pay.OutcomeNotApplied, pay.ClassPluginFault, pay.EffectNone, pay.WireNone},
		{"nothing sent now, in doubt before", "path /elsewhere", nil, pay.WireUnknown, pay.OutcomeInDoubt, pay.ClassConfig, pay.EffectMaybe, pay.WireNotSent},
		{"trap now, in doubt before", "trap", nil, pay.WireUnknown, pay.OutcomeInDoubt, pay.ClassPluginFault, pay.EffectMaybe, pay.WireNone},
		{"declined now without a key, in doubt before", "", status(402, `{}`), pay.WireUnknown, pay.OutcomeInDoubt, pay.ClassDeclined, pay.EffectMaybe, pay.WireAnswered},
	}
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, source)
					r.answer(tt.answer)
					request := create(tt.do)
					request.Earlier.Wire = tt.earlier
					result, err := r.conn.Create(t.Context(), request)
					if result.Outcome != tt.outcome || result.Evidence.Wire != tt.wire {
						t.Errorf("outcome %s on wire %s, want %s on %s; error: %v",
							result.Outcome, result.Evidence.Wire, tt.outcome, tt.wire, err)
					}
					checkError(t, err, tt.class, tt.effect)
				})
			}
		})
	}
}

func checkError(t *testing.T, err error, class pay.Class, effect pay.Effect) {
	t.Helper()
	if class == 0 {
		if err != nil {
			t.Errorf("error: %v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("no error, want class %s", class)
	}
	e := pay.AsError(err)
	if e.Class != class || e.Effect != effect || e.Advice == 0 {
		t.Errorf("error %q of class %s, effect %s, advice %s, want %s, %s", e, e.Class, e.Effect, e.Advice, class, effect)
	}
	for _, leak := range []string{"wazero", ".go:", "goroutine", apiToken} {
		if strings.Contains(e.Error(), leak) {
			t.Errorf("error %q holds %q", e, leak)
		}
	}
}

// TestMoneyCallsAreCounted sends three writes where the manifest allows two.
func TestMoneyCallsAreCounted(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			_, err := r.conn.Create(t.Context(), create("many"))
			if pay.ClassOf(err) != pay.ClassPluginFault || len(r.requests()) != 2 {
				t.Errorf("error %v after %d requests, want a plugin fault after 2", err, len(r.requests()))
			}
		})
	}
}

// TestServerErrorIsNotCoveredUp answers a write with a server's error, and what a plugin
// sends after it with a plain refusal. That says nothing of the first, and where the
// provider knows no key the second must not leave at all.
func TestServerErrorIsNotCoveredUp(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			answers := []http.HandlerFunc{status(500, `{}`), status(429, `{}`)}
			r.answer(func(w http.ResponseWriter, req *http.Request) {
				next := answers[0]
				answers = answers[min(1, len(answers)-1):]
				next(w, req)
			})
			result, err := r.conn.Create(t.Context(), create("twice"))
			if result.Outcome != pay.OutcomeInDoubt || result.Evidence.Status != 500 || len(r.requests()) != 1 {
				t.Errorf("outcome %s by status %d after %d requests, error %v",
					result.Outcome, result.Evidence.Status, len(r.requests()), err)
			}
		})
	}
}

// TestKeyedWriteRepeats lets the answer to a keyed write be lost once: the same
// bytes go again, and the second answer settles it. An unkeyed write never does.
func TestKeyedWriteRepeats(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			var keys []string
			r.answer(func(w http.ResponseWriter, req *http.Request) {
				keys = append(keys, req.Header.Get("X-Idempotency-Key"))
				if len(keys) == 1 {
					hangUp(w, req)
					return
				}
				status(200, `{"id":"r1"}`)(w, req)
			})
			result, err := r.conn.Refund(t.Context(), pay.RefundRequest{
				Intent: pay.Intent{Key: "refund-1"}, Payment: pay.Ref{ID: "pay_1"}, Refund: pay.Ref{ID: "ref_1"},
				Amount: pay.New(1000, pay.KZT), Paid: pay.New(250000, pay.KZT),
			})
			if err != nil || result.Outcome != pay.OutcomeApplied {
				t.Fatalf("outcome %s, error %v", result.Outcome, err)
			}
			if len(keys) != 2 || keys[0] != keys[1] || keys[0] != result.ProviderKey {
				t.Errorf("keys %q, want twice %q", keys, result.ProviderKey)
			}

			r.answer(hangUp)
			before := len(r.requests())
			result, err = r.conn.Cancel(t.Context(), pay.PaymentRequest{Intent: pay.Intent{Key: "cancel-1"}})
			if result.Outcome != pay.OutcomeInDoubt || pay.AsError(err).Advice != pay.AdviceProbe {
				t.Errorf("outcome %s, error %v", result.Outcome, err)
			}
			if sent := len(r.requests()) - before; sent != 1 {
				t.Errorf("unkeyed write was sent %d times", sent)
			}
		})
	}
}

// TestTranscriptsAreEqual runs the same calls natively and in Wasm and compares
// what the provider saw and what came back.
func TestTranscriptsAreEqual(t *testing.T) {
	t.Parallel()
	type transcript struct {
		requests []string
		results  []string
	}
	all := map[string]transcript{}
	for name, source := range sources(t) {
		r := newRig(t, source)
		var tr transcript
		for _, do := range []string{"", "path /elsewhere", "many", "trap", "claim", "reads", "odd", "log x", "counter", "counter"} {
			result, err := r.conn.Create(t.Context(), create(do))
			text := do + ": " + result.Outcome.String() + " " + result.ProviderRef + " " + result.ProviderCode + " " + result.Next.URL
			if err != nil {
				text += ": " + strings.ReplaceAll(err.Error(), strings.TrimPrefix(r.server.URL, "https://"), "HOST")
			}
			tr.results = append(tr.results, text)
		}
		tr.requests = r.requests()
		all[name] = tr
	}
	for i := range all["native"].results {
		if n, w := all["native"].results[i], all["wasm"].results[i]; n != w {
			t.Errorf("native %q\nwasm   %q", n, w)
		}
	}
	if n, w := all["native"].requests, all["wasm"].requests; strings.Join(n, "\n") != strings.Join(w, "\n") || len(n) == 0 {
		t.Errorf("requests differ:\nnative %q\nwasm   %q", n, w)
	}
}
