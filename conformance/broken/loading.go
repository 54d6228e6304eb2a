package broken

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// ofLoading are the plugins that break a check of L0.
func ofLoading() []Plugin {
	return slices.Concat(ofManifests(), ofSettings(), ofManners(), ofSandbox())
}

// ofManifests are those whose manifest lies.
func ofManifests() []Plugin {
	return []Plugin{
		brokenAurora("manifest_no_batch", "says in its manifest that a status call takes no payment", stateless(auroraWith{
			manifest: func(m *pay.Manifest) { m.BatchSize = 0 },
		}), "L0.loads"),
		brokenAurora("manifest_changes", "makes its version of how often it was asked for it", func() *auroraWith {
			var asked atomic.Int64
			return &auroraWith{manifest: func(m *pay.Manifest) {
				m.Version = "1.0." + strconv.FormatInt(asked.Add(1), 10)
			}}
		}, "L0.describe"),
		brokenAurora("ping_missing", "declares a ping, and has none", stateless(auroraWith{manifest: with(pay.OpPing)}),
			"L0.asked", "L0.operations"),
	}
}

// ofSettings are those that check a connection badly.
func ofSettings() []Plugin {
	return []Plugin{
		brokenAurora("settings_refused", "refuses every base URL that is not https", stateless(auroraWith{
			checkConfig: func(h *sdk.Host) []pay.Problem {
				if h.BaseURL()[:6] == "https:" {
					return nil
				}
				return []pay.Problem{{Field: "base_url", Message: "must be https"}}
			},
		}),
			"L0.loads", "L0.describe", "L0.config", "L0.bad_config", "L0.missing", "L0.asked", "L0.random",
			"L1.pay", "L1.cancel", "L1.failed", "L1.expired", "L1.late", "L1.expires_at", "L1.amounts", "L1.bad_amounts",
			"L1.currency", "L1.undeclared", "L1.refunds", "L1.codes", "L1.batch", "L1.more_fields", "L1.numbers_text",
			"L1.unknown_word", "L1.other_amount", "L1.other_subject", "L1.tenants"), // nothing lives without a connection
		brokenAurora("settings_open", "takes settings that it does not know", stateless(auroraWith{
			manifest: func(m *pay.Manifest) {
				m.SettingsSchema = `{"type":"object","properties":{"shop_id":{"type":"string","minLength":1}},"required":["shop_id"]}`
			},
		}), "L0.bad_config"),
		brokenAurora("settings_unread", "takes a shop that is no text", stateless(auroraWith{
			manifest: func(m *pay.Manifest) {
				m.SettingsSchema = `{"type":"object","additionalProperties":false,"properties":{"shop_id":{}},"required":["shop_id"]}`
			},
		}), "L0.bad_config"),
		brokenAurora("secret_optional", "calls its secret optional, and every call needs it", stateless(auroraWith{
			manifest: func(m *pay.Manifest) { m.Secrets[0].Required = false },
		}), "L0.missing"),
		brokenAurora("config_asks", "asks the provider while it checks the settings", stateless(auroraWith{
			checkConfig: func(h *sdk.Host) []pay.Problem {
				_, _ = h.Send(sdk.GetJSON("/v1/orders/none"))
				return nil
			},
		}), "L0.pure"),
	}
}

// ofManners are those that say too much, or ask the wrong people.
func ofManners() []Plugin {
	return []Plugin{
		{
			Name: "ping_unheard", Does: "takes the provider's answer to a ping for none", Provider: "aurora",
			Fails: []string{"L0.asked"},
			New: func() sdk.Provider {
				return auroraPinged{&auroraWith{manifest: with(pay.OpPing)}, func(h *sdk.Host) error {
					r := sdk.GetJSON("/v1/orders/ping")
					r.Auth = sdk.HeaderSecret("X-Api-Key", "", "api_key")
					a, err := h.Send(r)
					if err == nil && a.Status != 200 { // 404: it is there, and knows no such order
						err = &pay.Error{Class: pay.ClassUnavailable, Message: "ping is answered with HTTP " + strconv.Itoa(a.Status)}
					}
					return err
				}}
			},
		},
		brokenAurora("seed_each_call", "draws a nonce for every call from one seed", stateless(auroraWith{
			ear: ear{says: func(r *said) {
				drawn := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the mistake
				r.Header = append(r.Header, pay.Field{Name: "X-Nonce", Value: fmt.Sprintf("%016x", drawn.Uint64())})
			}},
		}), "L0.random"),
		brokenAurora("counts_elsewhere", "tells a host of its author's of every order", stateless(auroraWith{
			create: func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error) {
				result, err := create(h, r)
				if err == nil {
					_, _ = h.Send(sdk.GetJSON("https://statistics.example.net/order?id=" + result.ProviderRef))
				}
				return result, err
			},
		}), "L0.egress"),
		brokenAurora("path_undeclared", "looks at its payments at a path that its manifest does not name", stateless(auroraWith{
			status: func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error) {
				_, _ = h.Send(sdk.GetJSON("/v1/shops/" + h.Setting("shop_id", "")))
				return status(h, payments)
			},
		}), "L0.egress"),
		brokenYenil("logs_name", "logs for whom a payment is", &yenil{
			create: func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				h.Log(sdk.Info, "register", "customer", r.Customer.Name)
				return p.Create(h, r)
			},
		}, "L0.log", "L0.private", "Y11"),
		brokenYenil("logs_email", "logs the payer's address, which the host masks", &yenil{
			create: func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				h.Log(sdk.Debug, "register", "mail", r.Customer.Email)
				return p.Create(h, r)
			},
		}, "L0.log", "Y11"),
		brokenYenil("tells_name", "greets the payer by name", &yenil{
			create: func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
				result, err := p.Create(h, r)
				if err == nil {
					result.PayerHint = "Dear " + r.Customer.Name
				}
				return result, err
			},
		}, "L0.private", "Y11"),
		brokenTill("logs_code", "logs the code that a payer shows", func() *till {
			return &till{bind: func(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
				h.Log(sdk.Debug, "bind", "code", r.Code)
				return bind(h, r)
			}}
		}, "L0.log"),
	}
}
