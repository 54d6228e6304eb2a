package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

// rahmetCallCases are about what every call has: a token, an envelope, a form.
func rahmetCallCases() []conformance.Case {
	return []conformance.Case{
		rahmetCase(conformance.Check{
			ID: "R1", Level: conformance.L2, Proves: "providers 4, R1; contract 3",
			Sentence: "A token serves for its 10800 seconds, is renewed once when it ends or is refused, and is fetched once for all who wait.",
		}, rahmetTokens),
		rahmetCase(conformance.Check{
			ID: "R2", Level: conformance.L2, Proves: "providers 4, R2; contract 3, 6",
			Sentence: "A client that the provider refuses is told as auth, with HTTP 401 or 200, and nothing else is sent.",
		}, rahmetBadClient),
		rahmetCase(conformance.Check{
			ID: "R3", Level: conformance.L2, Proves: "providers 4, R3; contract 3",
			Sentence: "The error_code decides: an error with HTTP 200 is no success, and an odd message spoils none.",
		}, rahmetEnvelope),
		rahmetCase(conformance.Check{
			ID: "R4", Level: conformance.L1, Proves: "providers 4, R4",
			Sentence: "Every call bears exactly one Authorization: Bearer TOKEN, and its body is a form.",
		}, rahmetStrict),
		rahmetCase(conformance.Check{
			ID: "R5", Level: conformance.L1, Proves: "providers 4, R5; contract 2",
			Sentence: "Ping tells that Rahmet takes no orders, by available:false and by the error_code 400 of 2019.",
		}, rahmetAvailable),
	}
}

func rahmetTokens(l *rahmetLife) {
	l.KeepInbound(true) // so that what is learned is learned with a token
	l.Step("use the token for its life")
	p := l.Begin()
	l.Pass(10_700 * time.Second)
	l.tokens(0, 1, "its expire_in says 10800 seconds, and only 10700 have passed")
	l.Step("go on after the token has ended")
	l.Pass(100 * time.Second)
	l.Move(l.order(p).ID, "paid")
	p = l.Until(l.path(p), "succeeded")
	l.tokens(0, 2, "the first token ended after 10800 seconds, and one more serves all that follows")
	rahmetTokenRefused(l, p)
	l.Verify()
	rahmetNoLoop(l)
	rahmetTokenRace(l)
}

// rahmetTokenRefused has the provider end a token that payhost takes for good: before a
// refund, which asks status first and meets it there, and before an order, which meets it
// itself.
func rahmetTokenRefused(l *rahmetLife, p conformance.Answer) {
	l.Step("refund with a token that the provider refuses")
	mark := l.Wire.Number()
	l.sim.Advance(3 * time.Hour)
	l.GiveBack(p, 100000)
	l.tokens(mark, 1, "the provider refused one token: ask for one new, once")
	if n := len(l.sent(mark, rahmetRefund)); n != 1 {
		l.Failf("the refund was sent %d times, want once: the token was renewed before it", n)
	}
	l.Step("create with a token that the provider refuses")
	mark = l.Wire.Number()
	l.sim.Advance(3 * time.Hour)
	l.Begin()
	l.tokens(mark, 1, "the provider refused one token: ask for one new, once")
	sends := l.sent(mark, rahmetCreateV1)
	if len(sends) != 2 {
		l.Fatalf("create was sent %d times, want 2: once with the refused token, once with the new one", len(sends))
	}
	if string(sends[0].Body) != string(sends[1].Body) {
		l.Failf("create says something else after its token was renewed: the provider may take it for another order")
	}
}

// rahmetNoLoop has the provider refuse every token.
func rahmetNoLoop(l *rahmetLife) {
	for _, status := range []string{"401", "200"} {
		l.Step("create while every token is refused with HTTP %s", status)
		l.set("auth_error_status", status)
		l.warm()
		l.set("tokens", "refused")
		mark, key, body := l.Wire.Number(), l.NewKey(), l.NewPayment(l.Terms.Amount, nil)
		a := l.Request(http.MethodPost, "/v1/payments", key, body)
		l.tokens(mark, 1, "a refused token is renewed once, and the second refusal stands")
		if n := len(l.sent(mark, rahmetCreateV1)); n != 2 {
			l.Failf("create was sent %d times, want 2: the second refusal stands", n)
		}
		switch {
		case a.Code/100 == 2 && a.InDoubt == nil:
			l.Failf("create is taken for done, and the provider refused every token: %s", a.Raw)
		case status == "401" && (a.Class != "auth" || a.Effect != "none"):
			l.Failf("create ends as %q with effect %q, want auth and none: HTTP 401 says that nothing was done", a.Class, a.Effect)
		}
		l.set("tokens", "valid")
		if a.Effect == "none" {
			key = l.NewKey()
		}
		l.money(l.finish("/v1/payments", key, body), 0, 0)
	}
	l.set("auth_error_status", "401")
}

// rahmetTokenRace has many calls want a token at once: none is there, and then all are
// refused the same one.
func rahmetTokenRace(l *rahmetLife) {
	l.Step("calls race for a token")
	l.Reconnect(func(*host.ConnectionConfig) {})
	conn := l.Calls()
	for _, when := range []string{"there was none", "the one there was is refused to all"} {
		mark := l.Wire.Number()
		errs := make([]error, 8)
		var wait sync.WaitGroup
		for i := range errs {
			wait.Go(func() { errs[i] = conn.Ping(context.Background()) })
		}
		wait.Wait()
		for _, err := range errs {
			if err != nil {
				l.Failf("a ping that waited for a token fails: %v", err)
			}
		}
		l.tokens(mark, 1, fmt.Sprintf("%d calls raced for a token, since %s", len(errs), when))
		l.sim.Advance(3 * time.Hour)
	}
}

func rahmetBadClient(l *rahmetLife) {
	for _, status := range []string{"401", "200"} {
		l.Step("create with a client that is refused with HTTP %s", status)
		l.set("auth_error_status", status)
		l.Reconnect(func(c *host.ConnectionConfig) {
			c.Secrets = maps.Clone(c.Secrets)
			c.Secrets["client_secret"] = vault.NewSecret("not-the-client-secret")
		})
		mark, body := l.Wire.Number(), l.NewPayment(l.Terms.Amount, nil)
		a := l.Try("/v1/payments", body)
		if a.Class != "auth" || a.Effect != "none" || a.ProviderCode != "4" {
			l.Failf("HTTP %s with error_code 4 ends as %q, effect %q, provider_code %q; want auth, none and 4: "+
				"the token endpoint's error stands in its body", status, a.Class, a.Effect, a.ProviderCode)
		}
		l.tokens(mark, 1, "a client that is refused stays refused")
		for _, x := range l.Wire.Journal() {
			if x.Number > mark && x.Path != rahmetToken {
				l.Failf("%s was called without a token", x.Path)
			}
		}
		l.Reconnect(func(c *host.ConnectionConfig) {
			c.Secrets = maps.Clone(c.Secrets)
			c.Secrets["client_secret"] = vault.NewSecret(rahmet.ClientSecret)
		})
		p := l.finish("/v1/payments", l.NewKey(), body)
		l.Move(l.order(p).ID, "paid")
		l.Until(l.path(p), "succeeded")
		l.money(p, l.Terms.Amount, 0)
	}
}

func rahmetEnvelope(l *rahmetLife) {
	p := l.sell()
	for _, status := range []string{"200", "4xx"} {
		l.Step("refund that is refused with HTTP %s", status)
		l.set("error_http_status", status)
		const refused = 91400 // the simulator refuses a refund of 914 tenge
		a := l.Try(l.path(p)+"/refunds", conformance.Object{"amount": l.Amount(refused), "reason": "refused"})
		if a.Code != http.StatusAccepted || a.InDoubt == nil {
			l.Fatalf("a refund that an unknown error_code answers must be in doubt, since there is no list of codes: %d %s", a.Code, a.Raw)
		}
		l.Pass(11 * time.Minute) // beyond the time in which an absence proves nothing, in two looks
		l.Until(l.path(p)+"/refunds/"+a.ID, "failed")
		l.money(p, l.Terms.Amount, 0)
	}
	l.set("error_http_status", "200")
	l.set("messages", "odd")
	l.Step("live a life under odd messages")
	l.warm()
	odd := l.sell()
	a := l.Try(l.path(odd)+"/refunds", conformance.Object{"amount": l.Amount(100000), "reason": "one less"})
	if a.Code/100 != 2 || a.InDoubt != nil {
		l.Fatalf("a refund that is answered with error_code 0 is accepted, whatever the message says: %d %s", a.Code, a.Raw)
	}
	l.Pass(time.Minute)
	l.Until(l.path(odd)+"/refunds/"+a.ID, "succeeded")
	l.money(odd, l.Terms.Amount, 100000)
	l.Verify()
}

// rahmetStrict lives what there is of calls, and reads each as the provider would.
func rahmetStrict(l *rahmetLife) {
	p := l.sell()
	l.GiveBack(p, 100000)
	l.settings(map[string]any{"api_version": "v2", "image_size": 300})
	l.warm()
	l.sell()
	issued := map[string]bool{}
	for _, x := range l.Wire.Journal() {
		if x.Path == rahmetToken {
			issued["Bearer "+rahmetData[struct {
				Token string `json:"token"`
			}](&x).Token] = true
		}
		for _, problem := range rahmetStrictness(&x, issued) {
			l.Failf("%s: %s", x.String(), problem)
		}
	}
	rahmetRejects(l, p)
	l.Verify()
}

// rahmetStrictness is what is wrong with a request.
func rahmetStrictness(x *wire.Exchange, issued map[string]bool) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	switch headers := x.Header.Values("Authorization"); {
	case x.Path == rahmetToken:
		if len(headers) > 0 {
			say("has an Authorization header; the client stands in the form")
		}
		if names := slices.Sorted(maps.Keys(rahmetFields(x))); !slices.Equal(names, []string{"client_id", "client_secret", "grant_type"}) ||
			rahmetFields(x).Get("grant_type") != "client_credentials" {
			say("asks for a token with the fields %q; want client_id, client_secret and grant_type=client_credentials", names)
		}
	case len(headers) != 1:
		say("has %d Authorization headers, want exactly one", len(headers))
	case !issued[headers[0]]:
		say("its Authorization is not exactly Bearer, a space, and a token that the provider gave out")
	}
	if x.Path != rahmetToken && x.Said(rahmet.ClientSecret) {
		say("tells the client's secret, which is for %s alone", rahmetToken)
	}
	if x.Method == http.MethodGet {
		return wrong
	}
	kind, params, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if charset, ok := params["charset"]; err != nil || kind != rahmetForm || ok && !strings.EqualFold(charset, "utf-8") {
		say("its Content-Type is %q, want %s", x.Header.Get("Content-Type"), rahmetForm)
	}
	if values, err := url.ParseQuery(string(x.Body)); err != nil || len(values) == 0 || json.Valid(x.Body) {
		say("its body is no form")
	}
	if x.Query != "" {
		say("has fields in its address: %s", x.Query)
	}
	return wrong
}

// rahmetRejects proves that the simulator is as strict: the plugin's calls were not
// let through by a lenient one.
func rahmetRejects(l *rahmetLife, p conformance.Answer) {
	l.Step("calls that must be refused")
	token, order := l.bearer(), url.Values{"merchant_order_ids[]": {l.orderID(p)}}.Encode()
	for _, header := range []string{token, "bearer " + token, "Bearer  " + token, "Basic " + token, ""} {
		if code, _ := l.direct(rahmetStatus, rahmetForm, order, "Authorization", header); code != 9 {
			l.Fatalf("simulator: an Authorization that is not exactly Bearer TOKEN was answered with error_code %d", code)
		}
	}
	for _, kind := range []string{"application/json", "x-application/x-www-form-urlencoded"} {
		body := `{"merchant_order_ids":["` + l.orderID(p) + `"]}`
		if code, _ := l.direct(rahmetStatus, kind, body, "Authorization", "Bearer "+token); code != 422 {
			l.Fatalf("simulator: a body of %s was answered with error_code %d", kind, code)
		}
	}
}

func rahmetAvailable(l *rahmetLife) {
	l.Step("ping")
	if !l.Has(pay.OpPing) {
		l.Fatalf("the plugin does not declare ping, and the provider asks to call availability before it is offered")
	}
	l.warm()
	ping := func(availability, status, code string) {
		l.set("availability", availability)
		l.set("error_http_status", status)
		err := l.Calls().Ping(context.Background())
		if pay.ClassOf(err) != pay.ClassUnavailable {
			l.Failf("ping ends with %v, want class unavailable: availability is %s, HTTP %s", err, availability, status)
			return
		}
		if got := pay.AsError(err).ProviderCode; got != code {
			l.Failf("ping tells the provider_code %q, want %q", got, code)
		}
	}
	ping("unavailable", "200", "")
	ping("legacy_400", "200", "400")
	ping("legacy_400", "4xx", "400")
	l.set("availability", "available")
	l.warm()
	for _, x := range l.sent(0, rahmetAvailability) {
		if x.Method != http.MethodGet || len(x.Body) > 0 {
			l.Failf("availability is asked by %s with %d bytes of body, want GET without", x.Method, len(x.Body))
		}
	}
	if n := len(l.sim.Objects()); n != 0 {
		l.Failf("ping made %d orders at the provider", n)
	}
	l.sell()
	l.Verify()
}
