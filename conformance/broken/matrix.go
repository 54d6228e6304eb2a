package broken

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// ofMatrix are the plugins that break a check of L2.
func ofMatrix() []Plugin {
	return slices.Concat(ofOddAnswers(), ofStates(), ofRepeated(), ofDoubts(), ofTimes())
}

// ofOddAnswers are those that take an answer that can't be read for a no.
func ofOddAnswers() []Plugin {
	return []Plugin{
		readsAsNo("html", "a page of HTML", func(a *heard) bool { return a.status == 200 && has(a, "<!DOCTYPE") }, "L2.html", "L2.drawn"),
		readsAsNo("empty", "an empty answer", func(a *heard) bool { return a.status == 200 && len(a.body) == 0 }, "L2.empty", "L2.drawn"),
		readsAsNo("half", "half an answer", func(a *heard) bool {
			return a.status/100 == 2 && has(a, "{") && !bytes.HasSuffix(bytes.TrimSpace(a.body), []byte("}"))
		}, "L2.half", "L2.drawn"),
		readsAsNo("bom", "an answer behind a byte order mark", func(a *heard) bool { return has(a, "\xef\xbb\xbf") }, "L2.bom"),
		readsAsNo("types", "an order whose id is a number", func(a *heard) bool {
			_, rest, found := strings.Cut(string(a.body), `"id":`)
			return found && rest[0] >= '0' && rest[0] <= '9'
		}, "L2.wrong_types", "L2.drawn"),
		readsAsNo("nulls", "an order whose id is null", func(a *heard) bool { return has(a, `"id":null`) }, "L2.nulls", "L2.drawn"),
		readsAsNo("unauthorized", "refused credentials", func(a *heard) bool { return a.status == 401 }, "L2.unauthorized"),
		brokenAurora("panics_on_null", "does not look whether an answer has an id", stateless(auroraWith{
			ear: ear{hears: func(_ *said, a *heard) {
				if has(a, `"id":null`) {
					panic("id is null")
				}
			}},
		}), "L0.bounded").with("L2.nulls"),
	}
}

func has(a *heard, text string) bool { return bytes.Contains(a.body, []byte(text)) }

func (p Plugin) with(checks ...string) Plugin {
	p.With = checks
	return p
}

func (p Plugin) alone() Plugin {
	p.Alone = true
	return p
}

// readsAsNo takes some answers for the provider's refusal.
func readsAsNo(name, what string, odd func(a *heard) bool, fails ...string) Plugin {
	return brokenAurora(name+"_is_declined", "takes "+what+" for a payment that is declined", stateless(auroraWith{
		ear: ear{hears: func(_ *said, a *heard) {
			if a.failed == nil && odd(a) {
				a.declined()
			}
		}},
	}), fails...)
}

// ofStates are those that take a status that was not told for a payment that failed.
func ofStates() []Plugin {
	failed := func(name, does string, when func(e *pay.Error) bool, fails ...string) Plugin {
		return brokenYenil(name, does, &yenil{seen: func(item *pay.StatusItem) {
			if item.Err == nil || !when(item.Err) {
				return
			}
			*item = pay.StatusItem{ID: item.ID, Found: pay.FoundObserved, Observations: []pay.Observation{{
				Subject: pay.SubjectPayment, Payment: pay.PaymentFailed, Reason: pay.DeclinedOther,
			}}}
		}}, fails...)
	}
	return []Plugin{
		failed("limited_is_failed", "takes a status that it may not ask for yet for a payment that failed",
			func(e *pay.Error) bool { return e.Class == pay.ClassRateLimited }, "L2.rate_limited"),
		failed("error_is_failed", "takes a server that fails in status for a payment that failed",
			func(e *pay.Error) bool { return len(e.ProviderCode) == 3 && e.ProviderCode[0] == '5' }, "L2.server_error", "L2.drawn"),
		failed("lost_is_failed", "takes a status that was lost for a payment that failed",
			func(e *pay.Error) bool { return strings.Contains(e.Message, "before an answer began") },
			"L2.cut_before", "L2.cut_after", "L4.doubt"),
	}
}

// ofRepeated are those that go wrong at the second attempt of a create.
func ofRepeated() []Plugin {
	return []Plugin{
		secondTime("refused_is_used", "takes an order for sent that never was", had("can't be reached"), givesUp, "L2.refused", "L2.drawn"),
		secondTime("limited_is_used", "gives up when the provider asks it to wait", answered(429, 429), givesUp,
			"L2.rate_limited", "L2.drawn"),
		secondTime("lost_is_new", "takes a new key after an answer was lost", had("before an answer began"), newKey,
			"L1.key", "L2.cut_after", "L2.drawn", "L4.doubt"),
		secondTime("lost_is_taken", "takes the answer to a repeat for one about another's order", had("before an answer began"),
			declinesAnswer, "L2.cut_before", "L2.cut_after", "L2.drawn", "L3.foreign", "L4.doubt"),
		secondTime("broken_is_new", "takes a new key after an answer broke off", had("within the body"), newKey,
			"L1.key", "L2.cut_within", "L2.drawn"),
		secondTime("slow_is_new", "takes a new key after the provider was slow", had("time for the call"), newKey,
			"L1.key", "L2.slow", "L2.late"),
		secondTime("huge_is_new", "takes a new key after an answer without end", had("above the limit"), newKey,
			"L1.key", "L2.huge"),
		secondTime("error_is_new", "takes a new key after the provider's server failed", answered(500, 599), newKey,
			"L1.key", "L2.server_error", "L2.drawn"),
		secondTime("crash_is_new", "takes a new key when it does not remember the first send",
			func(_ []string, r *pay.CreateRequest) bool {
				return r.Earlier.Wire == pay.WireUnknown && r.Earlier.BytesOut == 0
			},
			newKey, "L1.key", "L2.killed", "L2.killed_sending"),
		secondTime("two_is_new", "takes a new key when it has failed in two ways",
			func(before []string, _ *pay.CreateRequest) bool {
				return len(slices.Compact(slices.Sorted(slices.Values(before)))) > 1
			},
			newKey, "L1.key", "L2.drawn"),
	}
}

// when is asked whether the mistake is made, with how attempts to create the same order
// failed before.
type when func(before []string, r *pay.CreateRequest) bool

// had is when the last of them failed so.
func had(how string) when {
	return func(before []string, _ *pay.CreateRequest) bool {
		return len(before) > 0 && strings.Contains(before[len(before)-1], how)
	}
}

// answered is when the provider has answered with one of these statuses.
func answered(from, to int) when {
	return func(_ []string, r *pay.CreateRequest) bool { return r.Earlier.Status >= from && r.Earlier.Status <= to }
}

// secondTime is a plugin that creates an order otherwise behind a failure. It keeps in
// memory how that was.
func secondTime(
	name, does string, when when, instead func(*sdk.Host, *pay.CreateRequest, createCall) (*pay.Result, error), fails ...string,
) Plugin {
	return brokenAurora(name, does, func() *auroraWith {
		var mu sync.Mutex
		failures := map[string][]string{}
		begin := func(h *sdk.Host) []pay.Problem { // memory begins where a process does
			mu.Lock()
			defer mu.Unlock()
			maps.DeleteFunc(failures, func(order string, _ []string) bool { return strings.HasPrefix(order, h.Connection()+"/") })
			return nil
		}
		return &auroraWith{checkConfig: begin, create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
			order := h.Connection() + "/" + r.OrderID
			mu.Lock()
			before := slices.Clone(failures[order])
			mu.Unlock()
			if when(before, r) {
				return instead(h, r, create)
			}
			result, err := create(h, r)
			if err != nil {
				mu.Lock()
				failures[order] = append(failures[order], pay.AsError(err).Message)
				mu.Unlock()
			}
			return result, err
		}}
	}, fails...)
}

func givesUp(*sdk.Host, *pay.CreateRequest, createCall) (*pay.Result, error) {
	return nil, &pay.Error{Class: pay.ClassDeclined, Reason: pay.DeclinedOther, Message: "order was sent before"}
}

// newKey makes the repeat another order.
func newKey(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
	r.ProviderKey += "-" + strconv.Itoa(r.Attempt)
	return create(h, r)
}

// declinesAnswer believes that only the first send of an order can be answered well.
func declinesAnswer(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
	if _, err := create(h, r); err != nil {
		return nil, err
	}
	return givesUp(h, r, create)
}

// ofDoubts are those that don't bear a doubt.
func ofDoubts() []Plugin {
	return []Plugin{
		brokenYenil("doubt_resigned", "takes a provider that has been away for six hours for one that refuses", &yenil{
			status: func(p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error) {
				items, err := p.Status(h, list)
				for i := range items {
					away := items[i].Err != nil && items[i].Err.Class == pay.ClassUnavailable
					if away && h.Now().Sub(list[0].CreatedAt) > 6*time.Hour {
						items[i] = pay.StatusItem{ID: list[0].ID, Found: pay.FoundObserved, Observations: []pay.Observation{{
							Subject: pay.SubjectRefund, Refund: pay.RefundFailed, Reason: pay.DeclinedOther,
						}}}
					}
				}
				return items, err
			},
		}, "L2.outage"),
		{
			Name: "cancel_repeated", Does: "sends a cancel again at once when its answer is lost", Provider: "yeniltoleg",
			Fails: []string{"L2.resend"}, With: []string{"L2.cut_before"},
			New: func() sdk.Provider { return cancelsTwice{yeniltoleg.New()} },
		},
		brokenRahmet("refund_unkeyed", "sends a refund's key where the provider does not look for it", rahmetPlugin{
			refund: rahmetOwn{renewals: 1, change: func(request *sdk.Request) {
				for i := range request.Header {
					if strings.Contains(request.Header[i].Name, "Idempotency") {
						request.Header[i].Name = "X-Request-Id"
					}
				}
			}}.refund,
		}, "L2.twice", "L2.cut_after", "L2.cut_within", "L2.late", "L2.server_error", "L2.huge", "L2.drawn", "L4.doubt", "R12"),
		brokenRahmet("unknown_is_failed_order", "takes an order that status does not know for one that failed", rahmetPlugin{
			status: func(_ *sdk.Host, payments []pay.Ref, items []pay.StatusItem) []pay.StatusItem {
				for _, ref := range payments {
					known := func(item pay.StatusItem) bool { return item.ID == ref.ID && item.Found != pay.FoundNothing }
					if !slices.ContainsFunc(items, known) {
						items = append(items, pay.StatusItem{ID: ref.ID, Found: pay.FoundObserved, Observations: []pay.Observation{{
							Subject: pay.SubjectPayment, Payment: pay.PaymentFailed, Reason: pay.DeclinedOther,
						}}})
					}
				}
				return items
			},
		}, "L1.batch", "L1.other_subject", "L2.cut_before", "L2.late", "L2.server_error", "L2.html", "L2.empty",
			"L2.killed", "L2.killed_sending", "R8", "R9"),
	}
}

// cancelsTwice is Yenil-Toleg's plugin, which knows no patience.
type cancelsTwice struct{ *yeniltoleg.Provider }

// Manifest is Yenil-Toleg's, with a second call for a cancel.
func (p cancelsTwice) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	for i := range m.Operations {
		if m.Operations[i].Operation == pay.OpCancel {
			m.Operations[i].MoneyCalls = 2
		}
	}
	return m
}

// Cancel repeats what was lost.
func (p cancelsTwice) Cancel(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	result, err := p.Provider.Cancel(h, r)
	if err != nil && pay.AsError(err).Effect == pay.EffectMaybe {
		_, _ = p.Provider.Cancel(h, r)
	}
	return result, err
}

// ofTimes are those that are wrong about when.
func ofTimes() []Plugin {
	return []Plugin{
		brokenAurora("one_at_a_time", "keeps in memory what the last order was answered", func() *auroraWith {
			var mu sync.Mutex
			last := map[string]*pay.Result{} // by connection
			return &auroraWith{create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
				result, err := create(h, r)
				if err != nil {
					return result, err
				}
				mu.Lock()
				last[h.Connection()] = result
				mu.Unlock()
				h.Sleep(100 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				return last[h.Connection()], nil
			}}
		}, "L2.racing"),
	}
}
