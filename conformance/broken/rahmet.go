package broken

import (
	"strings"
	"time"

	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// ofRahmet are the plugins that break one of the provider's own cases.
func ofRahmet() []Plugin {
	list := append(rahmetCallers(), rahmetCreators()...)
	return append(append(list, rahmetRefunders()...), rahmetReaders()...)
}

// rahmetCallers go wrong about tokens, answers and forms.
func rahmetCallers() []Plugin {
	return []Plugin{
		brokenRahmet("rahmet_expires_in", "reads a token's lifetime from expires_in, which is expire_in here",
			rahmetPlugin{manifest: func(m *pay.Manifest) {
				m.OAuth2[0].ExpiresField, m.OAuth2[0].DefaultLifetime = "data.expires_in", 0
			}}, "R1"),
		brokenRahmet("rahmet_no_renewal", "gives up a refund whose token was refused",
			rahmetPlugin{refund: rahmetOwn{}.refund}, "R1"),
		brokenRahmet("rahmet_token_loop", "renews a token until it is taken",
			rahmetPlugin{
				manifest: func(m *pay.Manifest) { m.Operations[3].MoneyCalls = 4 },
				create: func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
					return rahmetPlace(p, h, r, 3, nil)
				},
			}, "R1"),
		brokenRahmet("rahmet_standard_error", "looks for a token's refusal in the field error, as the standard has it",
			rahmetPlugin{manifest: func(m *pay.Manifest) { m.OAuth2[0].ErrorField, m.OAuth2[0].ErrorOK = "", "" }}, "R2"),
		brokenRahmet("rahmet_http_decides", "takes HTTP 200 for a success, whatever the error_code",
			rahmetPlugin{refund: rahmetOwn{renewals: 1, success: func(a *rahmetAnswer) bool { return a.status == 200 && a.code != "" }}.refund},
			"R3", "R13"),
		brokenRahmet("rahmet_message_decides", "knows an accepted refund by the message",
			rahmetPlugin{refund: rahmetOwn{renewals: 1, success: func(a *rahmetAnswer) bool {
				return a.status == 200 && strings.HasPrefix(a.message, "Заявка на возврат принята")
			}}.refund}, "R3"),
		brokenRahmet("rahmet_other_charset", "says that its form is in windows-1251, which it is not",
			rahmetPlugin{refund: rahmetOwn{renewals: 1, change: func(request *sdk.Request) {
				request.Header[0].Value += "; charset=windows-1251"
			}}.refund}, "R4"),
		brokenRahmet("rahmet_json_body", "sends a refund as JSON",
			rahmetPlugin{refund: rahmetOwn{renewals: 1, change: func(request *sdk.Request) {
				request.Header[0].Value = "application/json"
			}}.refund}, "L1.more_fields", "L1.numbers_text", "L1.pay", "L1.refunds", "R4", "R9", "R14"),
		brokenRahmet("rahmet_answered_is_there", "takes the error_code 400 of availability for an answer like any other",
			rahmetPlugin{pinged: func(err error) error {
				if err != nil && pay.AsError(err).ProviderCode == "400" {
					return nil
				}
				return err
			}}, "R5"),
	}
}

// rahmetCreators go wrong about orders.
func rahmetCreators() []Plugin {
	return []Plugin{
		brokenRahmet("rahmet_inner_link", "sends every payer of version 2 to the mini app's link",
			rahmetPlugin{create: func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				if h.Setting("api_version", "v1") == "v2" && len(r.Options) == 0 {
					r.Options = []pay.Option{{Name: "surface", Value: "miniapp"}}
				}
				return p.Create(h, r)
			}}, "R6"),
		brokenRahmet("rahmet_no_picture", "drops the picture of the code",
			rahmetPlugin{create: rahmetMade(func(_ *pay.CreateRequest, result *pay.Result, _ *pay.Error) {
				if result != nil {
					result.Next.QRPNG = nil
				}
			})}, "R6"),
		brokenRahmet("rahmet_refused_repeat", "knows no way on when a repeated create is refused",
			rahmetPlugin{create: rahmetMade(func(_ *pay.CreateRequest, _ *pay.Result, err *pay.Error) {
				if err != nil && err.Class == pay.ClassDuplicate {
					err.Class, err.Advice = pay.ClassProtocol, pay.AdviceProbe
				}
			})}, "R7"),
		brokenRahmet("rahmet_silent_repeat", "does not tell that a link was asked for again",
			rahmetPlugin{create: rahmetMade(func(_ *pay.CreateRequest, result *pay.Result, _ *pay.Error) {
				if result != nil && result.Next.Type != pay.NextNone {
					result.Observations = nil
				}
			})}, "R7"),
		brokenRahmet("rahmet_adopts_order", "takes an order that status shows for one that the payer can reach",
			rahmetPlugin{create: rahmetMade(func(r *pay.CreateRequest, result *pay.Result, _ *pay.Error) {
				if result != nil && r.Attempt > 1 {
					result.Next = pay.NextAction{Type: pay.NextNone}
				}
			})}, "R7", "R8"),
		brokenRahmet("rahmet_no_reference", "does not read reference",
			rahmetPlugin{status: rahmetSeen(func(_ *sdk.Host, _ *pay.Ref, o *pay.Observation) { o.ProviderRef = "" })}, "R8"),
		brokenRahmet("rahmet_takes_any_option", "drops options that it does not know",
			rahmetPlugin{create: func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				var known []pay.Option
				for _, o := range r.Options {
					if o.Name == "surface" {
						known = append(known, o)
					}
				}
				r.Options = known
				return p.Create(h, r)
			}}, "R17"),
		brokenRahmet("rahmet_offers_check", "names the notification URL as checklink",
			rahmetPlugin{create: func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				return rahmetPlace(p, h, r, 1, func(w *form.Writer) {
					w.AddIf("checklink", r.NotificationURL)
					w.Add("failed_on_check", "true")
				})
			}}, "R17"),
	}
}

// rahmetRefunders go wrong about refunds.
func rahmetRefunders() []Plugin {
	return []Plugin{
		brokenRahmet("rahmet_accepted_is_done", "takes an accepted refund for done",
			rahmetPlugin{refund: func(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
				result, err := p.Refund(h, r)
				if err == nil {
					result.Outcome, result.Observations = pay.OutcomeApplied, nil
				}
				return result, err
			}}, "L3.replayed", "L3.reordered", "R11"),
		brokenRahmet("rahmet_key_of_amount", "makes the key of a refund of its payment and amount, so that it looks up what it can't send again",
			rahmetPlugin{manifest: rahmetLookup, refund: func(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
				r.ProviderKey = rahmetKey([]byte(r.Payment.ID + r.Amount.String()))
				return p.Refund(h, r)
			}}, "L1.key", "L1.refunds", "R12"),
		brokenRahmet("rahmet_no_key", "sends refunds without a key, which is optional",
			rahmetPlugin{manifest: rahmetLookup, refund: rahmetOwn{renewals: 1, change: func(request *sdk.Request) {
				request.Header = request.Header[:len(request.Header)-1]
			}}.refund}, "L1.key", "L2.drawn", "L2.twice", "R12"),
		brokenRahmet("rahmet_refused_is_accepted", "takes the error_code 422 of a refund for one that is there already",
			rahmetPlugin{refund: func(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
				result, err := p.Refund(h, r)
				if err != nil && pay.AsError(err).ProviderCode == "422" {
					return &pay.Result{Outcome: pay.OutcomeAccepted}, nil
				}
				return result, err
			}}, "R13"),
		brokenRahmet("rahmet_sdk_refund", "posts refunds to status, as the published SDK does",
			rahmetPlugin{refund: rahmetOwn{renewals: 1, path: "/orders/v1/preorder/status"}.refund},
			"L1.more_fields", "L1.numbers_text", "L1.pay", "L1.refunds", "R4", "R9", "R14"),
	}
}

// rahmetReaders go wrong about what the provider tells.
func rahmetReaders() []Plugin {
	return []Plugin{
		brokenRahmet("rahmet_missing_is_absent", "takes an order that status leaves out for one that is not there",
			rahmetPlugin{status: func(_ *sdk.Host, payments []pay.Ref, items []pay.StatusItem) []pay.StatusItem {
				told := map[string]bool{}
				for i := range items {
					told[items[i].ID] = true
				}
				for i := range payments {
					if !told[payments[i].ID] {
						items = append(items, pay.StatusItem{ID: payments[i].ID, Found: pay.FoundNot})
					}
				}
				return items
			}}, "R9"),
		brokenRahmet("rahmet_objects_only", "does not understand the bare flags that status had first",
			rahmetPlugin{status: func(_ *sdk.Host, _ []pay.Ref, items []pay.StatusItem) []pay.StatusItem {
				var known []pay.StatusItem
				for _, item := range items {
					if len(item.Observations) == 0 || strings.HasPrefix(item.Observations[0].ProviderState, "is_paid") {
						known = append(known, item)
					}
				}
				return known
			}}, "R9"),
		brokenRahmet("rahmet_old_is_failed", "takes an order for failed that is unpaid after half an hour",
			rahmetPlugin{status: rahmetSeen(func(h *sdk.Host, ref *pay.Ref, o *pay.Observation) {
				if o.Payment == pay.PaymentPending && o.AmountRefunded.IsZero() && h.Now().Sub(ref.CreatedAt) > 30*time.Minute {
					o.Payment = pay.PaymentFailed
				}
			})}, "R10"),
		brokenRahmet("rahmet_one_question_mark", "refuses a postlink with two question marks",
			rahmetPlugin{noted: func(r *pay.NotificationRequest, n *pay.Notification) {
				if strings.Contains(r.Query, "?") {
					n.Authenticity, n.Observations, n.Ack = pay.AuthenticityNone, nil, pay.Ack{Status: 400}
				}
			}}, "R15"),
		brokenRahmet("rahmet_trusts_postlink", "takes a postlink for the provider's word",
			rahmetPlugin{manifest: rahmetStrong, noted: func(r *pay.NotificationRequest, n *pay.Notification) {
				if r.Method == "GET" && strings.Contains(r.Query, "event=paid") {
					n.Authenticity, n.Observations[0].Payment = pay.AuthenticityStrong, pay.PaymentSucceeded
				}
			}}, "L3.altered", "L3.foreign", "L3.forged", "L3.garbage", "L3.scanner", "L3.unknown", "R15"),
		brokenRahmet("rahmet_failed_is_final", "ends a payment by a failed_postlink",
			rahmetPlugin{manifest: rahmetStrong, noted: func(r *pay.NotificationRequest, n *pay.Notification) {
				if r.Method == "GET" && strings.Contains(r.Query, "event=failed") {
					n.Authenticity, n.Observations[0].Payment = pay.AuthenticityStrong, pay.PaymentFailed
				}
			}}, "L3.altered", "L3.garbage", "L3.killed", "L3.unknown", "R15", "R16"),
	}
}

// rahmetLookup has the host take the plugin's word for the key of a refund.
func rahmetLookup(m *pay.Manifest) {
	for i := range m.Operations {
		if m.Operations[i].Operation == pay.OpRefund {
			m.Operations[i].Idempotency = pay.IdempotencyLookup
		}
	}
}

func rahmetStrong(m *pay.Manifest) { m.Notification = pay.AuthenticityStrong }

// rahmetMade changes what create came to: one of result and err is not nil.
func rahmetMade(
	change func(r *pay.CreateRequest, result *pay.Result, err *pay.Error),
) func(*rahmet.Provider, *sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
	return func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
		result, err := p.Create(h, r)
		if err == nil {
			change(r, result, nil)
			return result, nil
		}
		e := pay.AsError(err)
		change(r, nil, e)
		return result, e
	}
}

// rahmetSeen changes every observation of status.
func rahmetSeen(
	change func(h *sdk.Host, ref *pay.Ref, o *pay.Observation),
) func(*sdk.Host, []pay.Ref, []pay.StatusItem) []pay.StatusItem {
	return func(h *sdk.Host, payments []pay.Ref, items []pay.StatusItem) []pay.StatusItem {
		for i := range items {
			for k := range payments {
				if payments[k].ID != items[i].ID {
					continue
				}
				for n := range items[i].Observations {
					change(h, &payments[k], &items[i].Observations[n])
				}
			}
		}
		return items
	}
}

// rahmetKey shapes bytes to a UUID of version 4.
func rahmetKey(from []byte) string {
	const digits = "0123456789abcdef"
	var sum [32]byte
	for i := range sum {
		sum[i] = digits[i%16]
	}
	mix := uint32(2166136261) // FNV-1a
	for round := range sum {
		for _, b := range from {
			mix = (mix ^ uint32(b)) * 16777619
		}
		mix = (mix ^ uint32(round)) * 16777619
		sum[round] = digits[mix>>13&15]
	}
	sum[12], sum[16] = '4', digits[8+mix>>17&3]
	s := string(sum[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
