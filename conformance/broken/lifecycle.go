package broken

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// ofLifecycle are the plugins that break a check of L1.
func ofLifecycle() []Plugin {
	return slices.Concat(ofAmounts(), ofEnds(), ofBatches(), ofAnswers(), ofWriting())
}

// ofAmounts are those that count wrong.
func ofAmounts() []Plugin {
	return []Plugin{
		brokenAurora("amount_hundredfold", "sends cents where the provider reads euros", stateless(auroraWith{
			create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
				r.Amount.Minor *= 100
				return create(h, r)
			},
		}), "L1.pay", "L1.failed", "L1.expired", "L1.late", "L1.amounts", "L1.refunds", "L1.more_fields", "L1.numbers_text",
			"L1.other_subject", "L1.tenants"),
		brokenAurora("amount_thousands", "puts a point where the provider wants none, from a thousand euros on", stateless(auroraWith{
			ear: ear{says: func(r *said) {
				if before, rest, found := strings.Cut(string(r.body), `"amount":1000.01`); found {
					r.body = []byte(before + `"amount":1.00` + rest)
				}
			}},
		}), "L1.amounts"),
		brokenAurora("amount_float", "counts euros in a float of 32 bits", stateless(auroraWith{
			create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
				euros := float32(r.Amount.Minor) / 100
				r.Amount.Minor, _ = strconv.ParseInt(strconv.FormatFloat(float64(euros)*100, 'f', 0, 64), 10, 64)
				return create(h, r)
			},
		}), "L1.amounts"),
		brokenAurora("least_unknown", "does not know the least amount that the provider takes", stateless(auroraWith{
			manifest: func(m *pay.Manifest) { m.Currencies[0].Min = 1 },
		}), "L1.bad_amounts"),
		brokenAurora("francs", "declares a currency that the provider does not take", stateless(auroraWith{
			manifest: func(m *pay.Manifest) {
				m.Currencies = append(m.Currencies, pay.CurrencySpec{Currency: "CHF", Step: 5, Min: 50})
			},
		}), "L1.currency"),
		brokenAurora("amount_unread", "takes what was asked for what was paid", stateless(auroraWith{
			status: seenAs(func(ref *pay.Ref, o *pay.Observation) {
				o.Amount = ref.Amount
				if o.Payment == pay.PaymentSucceeded {
					o.AmountPaid = ref.Amount
				}
			}),
		}), "L1.other_amount"),
	}
}

// seenAs changes what status has seen.
func seenAs(edit func(ref *pay.Ref, o *pay.Observation)) func(*sdk.Host, []pay.Ref, statusCall) ([]pay.StatusItem, error) {
	return func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
		items, err := status(h, payments)
		for i := range items {
			at := slices.IndexFunc(payments, func(ref pay.Ref) bool { return ref.ID == items[i].ID })
			for j := range items[i].Observations {
				edit(&payments[at], &items[i].Observations[j])
			}
		}
		return items, err
	}
}

// deafTo does not know a word of the provider, wherever it stands.
func deafTo(word string) func(o *pay.Observation) {
	return func(o *pay.Observation) {
		if o.ProviderState == word {
			o.Payment = pay.PaymentUnknown
		}
	}
}

// ofEnds are those that are wrong about how a payment ends.
func ofEnds() []Plugin {
	return []Plugin{
		brokenAurora("failed_unread", "does not know the word failed", stateless(auroraWith{seen: deafTo("failed")}), "L1.failed"),
		brokenAurora("failed_unasked", "knows the word failed in a call alone", stateless(auroraWith{
			status: seenAs(func(_ *pay.Ref, o *pay.Observation) { deafTo("failed")(o) }),
		}), "L1.failed"),
		brokenAurora("expired_unread", "does not know the word expired", stateless(auroraWith{seen: deafTo("expired")}), "L1.expired"),
		brokenAurora("end_kept", "keeps that a payment has ended, and never looks again", stateless(auroraWith{
			manifest: stores, status: keepsEnds, note: deafBehindEnds,
		}), "L1.late"),
		brokenYenil("cancel_unsent", "answers a cancel from what it sees, and sends nothing", &yenil{
			cancel: func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
				if items, err := p.Status(h, []pay.Ref{r.Payment}); err != nil || len(items) != 1 || items[0].Err != nil {
					return p.Cancel(h, r)
				}
				return undoDone(pay.OpCancel, &r.Payment), nil
			},
		}, "L1.cancel"),
		brokenYenil("cancel_never", "takes the answer to every cancel for a no", &yenil{
			undone: func(op pay.Operation, _ *pay.Ref, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
				if op == pay.OpCancel && e == nil {
					return nil, &pay.Error{Class: pay.ClassDeclined, Reason: pay.DeclinedOther, Message: "not canceled"}
				}
				return result, e
			},
		}, "L1.cancel"),
		brokenTill("codes_declined", "takes a code that is bad for a payment that is declined", func() *till {
			return &till{bind: func(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
				result, err := bind(h, r)
				if aboutCode(err) {
					e := pay.AsError(err)
					e.Class, e.Reason = pay.ClassDeclined, pay.DeclinedInstrumentInvalid
					return nil, e
				}
				return result, err
			}}
		}, "L1.codes"),
	}
}

// ofBatches are those that read answers about one otherwise than about many.
func ofBatches() []Plugin {
	return []Plugin{
		brokenAurora("batch_short", "tells of an order that is not there only if it is asked about that one", stateless(auroraWith{
			status: func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
				items, err := status(h, payments)
				if len(payments) > 1 {
					items = slices.DeleteFunc(items, func(item pay.StatusItem) bool { return item.Found == pay.FoundNot })
				}
				return items, err
			},
		}), "L1.batch"),
		brokenAurora("batch_first", "reads the first of many alone", stateless(auroraWith{
			status: func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
				items, err := status(h, payments[:1])
				for i := 1; i < len(payments) && len(items) == 1; i++ {
					item := items[0]
					item.ID = payments[i].ID
					items = append(items, item)
				}
				return items, err
			},
		}), "L1.batch"),
		brokenAurora("not_found_failed", "takes an order that the provider does not know for one that failed", stateless(auroraWith{
			status: func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
				items, err := status(h, payments)
				for i := range items {
					if items[i].Found == pay.FoundNot {
						items[i].Found = pay.FoundObserved
						items[i].Observations = []pay.Observation{{
							Subject: pay.SubjectPayment, Payment: pay.PaymentFailed, Reason: pay.DeclinedOther,
						}}
					}
				}
				return items, err
			},
		}), "L1.batch"),
	}
}

// ofAnswers are those that read answers wrong.
func ofAnswers() []Plugin {
	return []Plugin{
		brokenAurora("field_unknown", "refuses an answer that has a field it does not know", stateless(auroraWith{
			ear: ear{hears: func(_ *said, a *heard) {
				if has(a, "x_note") {
					a.say(a.status, `{}`)
				}
			}},
		}), "L1.more_fields"),
		brokenAurora("number_expected", "reads no amount that is told as a text", stateless(auroraWith{
			ear: ear{hears: func(_ *said, a *heard) {
				if has(a, `"paid":"`) || has(a, `"amount":"`) {
					a.say(a.status, `{}`)
				}
			}},
		}), "L1.numbers_text"),
		brokenAurora("unknown_is_paid", "takes a word that it does not know for paid", stateless(auroraWith{
			status: seenAs(func(ref *pay.Ref, o *pay.Observation) {
				if o.Payment == pay.PaymentUnknown {
					o.Payment, o.AmountPaid = pay.PaymentSucceeded, ref.Amount
				}
			}),
		}), "L1.unknown_word"),
		brokenAurora("unknown_is_failed", "takes a word that it does not know for failed", stateless(auroraWith{
			status: seenAs(func(_ *pay.Ref, o *pay.Observation) {
				if o.Payment == pay.PaymentUnknown {
					o.Payment, o.Reason = pay.PaymentFailed, pay.DeclinedOther
				}
			}),
		}), "L1.unknown_word"),
		brokenAurora("subject_unread", "does not read which order an answer is about", stateless(auroraWith{
			status: seenAs(func(_ *pay.Ref, o *pay.Observation) { o.ProviderRef = "" }),
		}), "L1.other_subject"),
		brokenAurora("session_shared", "keeps the last thing that a provider said, and tells it to the next", func() *auroraWith {
			var last atomic.Pointer[string]
			return &auroraWith{
				create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
					result, err := create(h, r)
					if err == nil {
						last.Store(&result.ProviderRef)
					}
					return result, err
				},
				ear: ear{says: func(r *said) {
					if session := last.Load(); session != nil {
						r.Header = append(r.Header, pay.Field{Name: "X-Session", Value: *session})
					}
				}},
			}
		}, "L1.tenants").alone(),
	}
}

// keepsEnds looks at no order again that it has seen at an end without money.
func keepsEnds(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
	var items []pay.StatusItem
	for _, ref := range payments {
		if n, err := h.Incr("ended/"+ref.ProviderRef, 0, 0); err == nil && n > 0 {
			continue
		}
		seen, err := status(h, []pay.Ref{ref})
		if err != nil {
			return items, err
		}
		for _, item := range seen {
			for _, o := range item.Observations {
				if o.Payment == pay.PaymentExpired || o.Payment == pay.PaymentFailed {
					_, _ = h.Incr("ended/"+o.ProviderRef, 1, 0)
				}
			}
		}
		items = append(items, seen...)
	}
	return items, nil
}

// deafBehindEnds reads no call about such an order.
func deafBehindEnds(h *sdk.Host, note *pay.Notification) {
	for _, o := range note.Observations {
		kept, err := h.Incr("ended/"+o.ProviderRef, 0, 0)
		switch {
		case err != nil:
		case kept > 0:
			note.Observations = nil
			return
		case o.Payment == pay.PaymentExpired || o.Payment == pay.PaymentFailed:
			_, _ = h.Incr("ended/"+o.ProviderRef, 1, 0)
		}
	}
}

// ofWriting are those that write at the provider what nobody asked for.
func ofWriting() []Plugin {
	return []Plugin{
		brokenAurora("refund_by_amount", "gives two refunds of one amount the same key, and its own one beside it", stateless(auroraWith{
			ear: ear{says: func(r *said) {
				if !strings.HasSuffix(r.URL, "/v1/refunds") {
					return
				}
				for i, f := range r.Header {
					if f.Name == "Idempotency-Key" {
						sum := sha256.Sum256(r.body)
						r.Header[i].Value = hex.EncodeToString(sum[:])
						r.Header = append(r.Header, pay.Field{Name: "X-Request-Id", Value: f.Value})
					}
				}
			}},
		}), "L1.refunds"),
		brokenAurora("refund_seen_before", "takes an earlier refund of the same amount for this one", stateless(auroraWith{
			refund: func(h *sdk.Host, r *pay.RefundRequest, refund refundCall) (*pay.Result, error) {
				items, err := aurora.New().Status(h, []pay.Ref{r.Payment})
				if err == nil && len(items) == 1 && len(items[0].Observations) == 1 && items[0].Observations[0].AmountRefunded == r.Amount {
					return &pay.Result{Outcome: pay.OutcomeApplied, Observations: []pay.Observation{{
						Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded, Amount: r.Amount,
					}}}, nil
				}
				return refund(h, r)
			},
		}), "L1.refunds"),
		brokenAurora("refund_reads", "lists the refunds' path as reading", stateless(auroraWith{
			manifest: func(m *pay.Manifest) {
				for i := range m.Egress {
					m.Egress[i].Read = m.Egress[i].Read || m.Egress[i].PathPrefix == "/v1/refunds"
				}
			},
			ear: ear{says: func(r *said) {
				if strings.HasSuffix(r.URL, "/v1/refunds") {
					r.Effect = abi.EffectRead
				}
			}},
		}), "L1.marked"),
		brokenAurora("creates_twice", "creates an order again to see that it is there", stateless(auroraWith{
			create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
				result, err := create(h, r)
				if err == nil {
					_, _ = create(h, r)
				}
				return result, err
			},
		}), "L1.money_calls"),
	}
}
