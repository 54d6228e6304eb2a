package broken

import (
	"strings"

	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// ofNoise are the plugins that break where a call is not what they expect.
func ofNoise() []Plugin {
	return []Plugin{
		auroraReads("scanner_500", "answers 500 to every call that is no POST", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				if r.Method != "POST" {
					return refused(500), nil
				}
				return right(h, r)
			}
		}, "L3.scanner", "L3.garbage", "L3.unknown"),
		auroraReads("parsed_first", "reads the body before it looks at the signature, and fails over what is no JSON",
			func(right reads) reads {
				return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
					if len(r.Body) > 0 && r.Method == "POST" {
						if _, err := json.Parse(r.Body); err != nil {
							return nil, &pay.Error{Class: pay.ClassProtocol, Message: "notification is not JSON"}
						}
					}
					return right(h, r)
				}
			}, "L3.garbage", "L3.altered"),
		auroraReads("payment_expected", "fails over a call that came to the address of no payment", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				if r.Payment.ID == "" {
					return nil, &pay.Error{Class: pay.ClassNotFound, Message: "no such payment"}
				}
				return right(h, r)
			}
		}, "L3.unknown", "L3.foreign"),
		auroraReads("asks_itself", "asks the provider about the order while it reads a call", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				note, err := right(h, r)
				if err == nil && note.ProviderRef != "" {
					request := sdk.GetJSON("/v1/orders/" + note.ProviderRef)
					request.Auth = sdk.HeaderSecret("X-Api-Key", "", "api_key")
					_, _ = h.Send(request)
				}
				return note, err
			}
		}, "L3.quiet", "L0.pure"),
	}
}

// rahmetCalls is Rahmet's plugin with another way to read its postlinks.
type rahmetCalls struct {
	*rahmet.Provider
	read   func(right reads) reads
	strong bool
}

// Manifest is Rahmet's, which claims too much if the mistake is to claim it.
func (p rahmetCalls) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	if p.strong {
		m.Notification = pay.AuthenticityStrong
	}
	return m
}

// Notification makes the mistake.
func (p rahmetCalls) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	return p.read(p.Provider.Notification)(h, r)
}

// ofHints are the plugins that are wrong about calls that anybody could make.
func ofHints() []Plugin {
	return []Plugin{
		{
			Name: "hint_trusted", Does: "takes a postlink for proof that it was paid", Provider: "rahmet",
			Fails: []string{"L3.forged", "L3.altered", "L3.foreign", "L3.unknown", "L3.scanner", "L3.garbage"},
			New:   func() sdk.Provider { return rahmetCalls{Provider: rahmet.New(), read: hintTrusted, strong: true} },
		},
		{
			Name: "hint_dropped", Does: "takes no notice of postlinks, since they are not signed", Provider: "rahmet",
			Fails: []string{"L3.genuine", "L3.altered", "L3.replayed", "L3.late", "L3.hint", "L3.killed", "L3.unwritten"},
			New: func() sdk.Provider {
				return rahmetCalls{Provider: rahmet.New(), read: func(right reads) reads {
					return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
						note, err := right(h, r)
						if err == nil {
							note.Authenticity = pay.AuthenticityNone
						}
						return note, err
					}
				}}
			},
		},
	}
}

func hintTrusted(right reads) reads {
	return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
		note, err := right(h, r)
		if err != nil || !strings.Contains(r.Query, "event=paid") {
			return note, err
		}
		note.Authenticity = pay.AuthenticityStrong
		for i := range note.Observations {
			note.Observations[i].Payment = pay.PaymentSucceeded
		}
		return note, nil
	}
}
