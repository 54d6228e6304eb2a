package conformance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

const idLoads = "L0.loads"

// one makes a check of a single life.
func one(id string, level Level, sentence, proves string, live func(*Life)) check {
	return check{
		Check: Check{ID: id, Level: level, Sentence: sentence, Proves: proves},
		jobs:  func(*suite) ([]job, string) { return []job{{live: live}}, "" },
	}
}

// loading are the checks of L0 that have a life of their own.
func loading() []check {
	return []check{
		one(idLoads, L0, "The module loads: what it exports, imports and says of itself fit together.", "contract 9, abi", func(*Life) {}),
		one("L0.describe", L0, "describe answers the same in every instance.", "contract 2", liveDescribe),
		one("L0.config", L0, "The provider's good settings are taken.", "contract 2", func(*Life) {}),
		one("L0.bad_config", L0, "Bad settings are refused, with the path of the field.", "contract 9", liveBadConfig),
		one("L0.missing", L0,
			"A connection without a secret, key or identity that is required is refused, with its path.",
			"contract 9", liveMissing),
		one("L0.asked", L0,
			"Every declared operation answers a well-formed request it can do nothing with, without a fault.",
			"contract 2", liveAsked),
		one("L0.random", L0,
			"What the plugin makes up is made of the host's randomness: two fresh instances make up different things.",
			"abi, isolation", liveRandom),
	}
}

// liveDescribe loads the plugin once more, and compares.
func liveDescribe(l *Life) {
	st, err := newStation(l.ctx, 0, l.suite.target.Plugin, l.suite.options)
	if err != nil {
		l.Fatalf("the plugin loads once, and not again: %v", err)
	}
	defer st.close()
	if !reflect.DeepEqual(st.manifest, l.Manifest) {
		l.Failf("describe answers otherwise in another instance")
	}
}

func liveBadConfig(l *Life) {
	if len(l.Terms.BadSettings) == 0 {
		l.Skipf("the provider's description names no bad settings")
	}
	for _, bad := range l.Terms.BadSettings {
		err := l.TryConnect(func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(bad.Settings) })
		l.refused(fmt.Sprintf("settings %s", bad.Settings), err, bad.Field)
	}
}

// refused holds that a connection was refused for the field.
func (l *Life) refused(what string, err error, field string) {
	e := pay.AsError(err)
	switch {
	case err == nil:
		l.Failf("%s are taken: they should be refused, and %s named", what, field)
	case !strings.Contains(e.Field, field) && !strings.Contains(e.Message, field):
		l.Failf("%s are refused for %q (%s): the field is %s", what, e.Field, e.Message, field)
	}
}

func liveMissing(l *Life) {
	tried := 0
	for _, s := range l.Manifest.Secrets {
		if s.Required {
			tried++
			l.refused("a connection without the secret "+s.Name, l.TryConnect(func(c *host.ConnectionConfig) {
				c.Secrets = without(c.Secrets, s.Name)
			}), s.Name)
		}
	}
	for _, k := range l.Manifest.Keys {
		if k.Required {
			tried++
			l.refused("a connection without the key "+k.Name, l.TryConnect(func(c *host.ConnectionConfig) {
				c.Keys = without(c.Keys, k.Name)
			}), k.Name)
		}
	}
	for _, i := range l.Manifest.Identities {
		if i.Required {
			tried++
			l.refused("a connection without the identity "+i.Name, l.TryConnect(func(c *host.ConnectionConfig) {
				c.TLS = without(c.TLS, i.Name)
			}), "tls")
		}
	}
	for name := range l.config.Secrets {
		if _, declared := l.secret(name); !declared {
			l.Failf("the provider takes a secret %s, and the manifest does not name it", name)
		}
	}
	if tried == 0 && len(l.config.Secrets)+len(l.config.TLS) > 0 {
		l.Failf("the provider's calls need credentials, and the manifest requires none: a connection without them would be taken")
	}
	if tried == 0 {
		l.Skipf("the plugin needs no secret, key or identity")
	}
}

func (l *Life) secret(name string) (pay.SecretSpec, bool) {
	for _, s := range l.Manifest.Secrets {
		if s.Name == name {
			return s, true
		}
	}
	return pay.SecretSpec{}, false
}

func without[T vault.Secret | vault.KeyConfig | vault.IdentityConfig](all map[string]T, name string) map[string]T {
	rest := map[string]T{}
	for n, v := range all {
		if n != name {
			rest[n] = v
		}
	}
	return rest
}

// liveAsked asks every operation that is free of effects, and those about a payment
// that the provider does not know. What is wrong is watched: a fault, a declared
// operation that is not there.
func liveAsked(l *Life) {
	c, ref := l.Calls(), l.strangerRef()
	intent := pay.Intent{Key: "op_conformance_1", ProviderKey: "op0conformance01", Attempt: 1}
	amount := pay.New(l.Terms.Amount, pay.Currency(l.Terms.Currency))
	payment := pay.PaymentRequest{Intent: intent, Payment: ref, Amount: amount}
	refund := pay.RefundRequest{Intent: intent, Payment: ref, Amount: amount, Paid: amount}
	l.Step("every operation, about a payment that nobody knows")
	for _, spec := range l.Manifest.Operations {
		var err error
		switch spec.Operation {
		case pay.OpPing:
			err = c.Ping(l.ctx)
			if err != nil {
				l.Failf("ping fails, and the provider is there: %v", err)
			}
		case pay.OpStatus:
			_, err = c.Status(l.ctx, ref)
		case pay.OpRefundStatus:
			_, err = c.RefundStatus(l.ctx, ref)
		case pay.OpErrorCatalog:
			if _, err = c.ErrorCatalog(l.ctx); err != nil {
				l.Failf("error_catalog fails, and the provider is there: %v", err)
			}
		case pay.OpCancel:
			_, err = c.Cancel(l.ctx, payment)
		case pay.OpConfirm:
			_, err = c.Confirm(l.ctx, payment)
		case pay.OpRelease:
			_, err = c.Release(l.ctx, payment)
		case pay.OpRefund:
			_, err = c.Refund(l.ctx, refund)
		}
		if e := pay.AsError(err); e != nil && (e.Class == pay.ClassPluginFault || e.Class == pay.ClassUnsupported) {
			l.Failf("%s: %s", spec.Operation, e.Message)
		}
	}
	if n := len(l.Sim.Effects()); n > 0 {
		l.Failf("operations about a payment that nobody knows moved money: %d effects", n)
	}
}

// strangerRef names a payment that the provider does not know.
func (l *Life) strangerRef() pay.Ref {
	return pay.Ref{
		ID: "pay_00000000000000000000000000", OrderID: "nobodys", ProviderRef: "00000000-0000-4000-8000-000000000000",
		Keys: []string{"nobodys"}, Amount: pay.New(l.Terms.Amount, pay.Currency(l.Terms.Currency)), CreatedAt: l.Now(),
	}
}
