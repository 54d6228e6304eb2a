package rahmet_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/rahmet"
)

// TestCases runs the cases R1 to R10; the later ones are in money_test.go and links_test.go.
func TestCases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"R1 a token ends after three hours of the clock", tokenEnds},
		{"R1 every token refused", everyTokenRefused},
		{"R1 two callers race for a token", tokenRace},
		{"R2 bad client with HTTP 401 and 200", badClient},
		{"R3 error body with HTTP 200 and 4xx, odd messages", errorStatus},
		{"R4 strict bearer and form encoding", strictWire},
		{"R5 availability", availability},
		{"R6 create v1", createV1},
		{"R6 create v2 with a QR image", createV2},
		{"R6 create refuses bad fields", createRefuses},
		{"R7 create repeated", createRepeated},
		{"R8 create answer lost", createLost},
		{"R9 status shapes", statusShapes},
		{"R9 status ids", statusIDs},
		{"R9 unknown ids and the empty map", unknownIDs},
		{"R10 unpaid after the timeout, then paid late", latePayment},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

func tokenEnds(t *testing.T, b *bench) {
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(b.token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var when struct{ Iat, Exp int64 }
	if err := json.Unmarshal(claims, &when); err != nil || when.Exp-when.Iat != 10800 {
		t.Errorf("claims %s: %v, want a life of 10800", claims, err)
	}
	b.Advance(3*time.Hour - time.Second)
	if got := b.send("GET", availabilityPath, nil); got.Code != 0 {
		t.Errorf("a second before its end the token gives %+v", got)
	}
	b.Advance(time.Second)
	b.refused(b.send("GET", availabilityPath, nil), 401, 9)
	b.login()
	if got := b.send("GET", availabilityPath, nil); got.Code != 0 {
		t.Errorf("a new token gives %+v", got)
	}
}

func everyTokenRefused(_ *testing.T, b *bench) {
	b.set("tokens", "refused")
	b.login()
	b.refused(b.send("GET", availabilityPath, nil), 401, 9)
}

func tokenRace(t *testing.T, b *bench) {
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			values := form("client_id", rahmet.ClientID, "client_secret", rahmet.ClientSecret,
				"grant_type", "client_credentials")
			if got, err := b.try("POST", tokenPath, values); err != nil || got.Code != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	wait.Wait()
}

func badClient(_ *testing.T, b *bench) {
	values := form("client_id", rahmet.ClientID, "client_secret", "wrong", "grant_type", "client_credentials")
	b.refused(b.send("POST", tokenPath, values), 401, 4)
	b.set("auth_error_status", "200")
	b.refused(b.send("POST", tokenPath, values), 200, 4)
	values.Set("grant_type", "password")
	b.refused(b.send("POST", tokenPath, values), 200, 2)
	values.Del("grant_type")
	b.refused(b.send("POST", tokenPath, values), 200, 3)
}

func errorStatus(t *testing.T, b *bench) {
	b.refused(b.send("POST", refundPath, form("merchant_order_id", "none", "amount", "1")), 200, 404)
	b.set("error_http_status", "4xx")
	b.refused(b.send("POST", refundPath, form("merchant_order_id", "none", "amount", "1")), 404, 404)
	b.set("messages", "odd")
	got := b.send("POST", createPath, order("1", "2500"))
	if got.Code != 0 || !strings.Contains(got.Message, "ERROR") {
		t.Errorf("got %+v, want success with a misleading message", got)
	}
	b.refused(b.send("GET", "/nowhere", nil), 404, 404)
	b.refused(b.send("GET", createPath, nil), 404, 404)
}

func strictWire(t *testing.T, b *bench) {
	wrong := []string{"", b.token, "bearer " + b.token, "Bearer  " + b.token, "Basic " + b.token}
	for _, header := range wrong {
		got, err := b.raw("GET", availabilityPath, "", "Authorization", header)
		if err != nil || got.Code != 9 {
			t.Errorf("Authorization %q: %+v, %v; want a refusal", header, got, err)
		}
	}
	body := `{"merchant_order_id":"1","amount":2500,"token":"` + rahmet.BranchToken + `"}`
	for _, kind := range []string{"application/json", "x-application/x-www-form-urlencoded", ""} {
		got, err := b.raw("POST", createPath, body, "Content-Type", kind)
		if err != nil {
			t.Fatal(err)
		}
		b.refused(got, 200, 422)
	}
	got, err := b.raw("POST", createPath, "amount=%zz", "Content-Type", "application/x-www-form-urlencoded")
	if err != nil {
		t.Fatal(err)
	}
	b.refused(got, 200, 422)
	b.refused(b.send("POST", createPath, order("1", "1", "amount", "2")), 200, 422)
	if len(b.Objects()) != 0 {
		t.Error("a refused create made an order")
	}
	values := order("1", "2500").Encode()
	kind := "application/x-www-form-urlencoded; charset=utf-8"
	if got, err := b.raw("POST", createPath, values, "Content-Type", kind); err != nil || got.Code != 0 {
		t.Errorf("with a charset: %+v, %v", got, err)
	}
}

func availability(t *testing.T, b *bench) {
	for setting, want := range map[string]string{
		"available": `{"available":true}`, "unavailable": `{"available":false}`,
	} {
		b.set("availability", setting)
		if got := b.send("GET", availabilityPath, nil); got.Code != 0 || string(got.Data) != want {
			t.Errorf("%s: %+v, want %s", setting, got, want)
		}
	}
	b.set("availability", "legacy_400")
	b.refused(b.send("GET", availabilityPath, nil), 200, 400)
}

func statusShapes(t *testing.T, b *bench) {
	b.create("open", "100")
	paid := b.paid("paid", "2500")
	reference := jsonText(paid.ID)
	tests := []struct{ shape, extended, want string }{
		{"bool", "", `{"paid":true}`},
		{"bool", "1", `{"paid":true}`},
		{"bool_extended", "", `{"paid":true}`},
		{"bool_extended", "1", `{"paid":{"is_paid":true,"amount":2500,"cashback":125}}`},
		{"object", "", `{"paid":{"is_paid":true,"amount":2500,"cashback":125}}`},
		{"full", "", `{"paid":{"is_paid":true,"amount":2500,"cashback":125,"reference":` + reference +
			`,"balance_amount":0,"device":"ANDROID"}}`},
	}
	for _, test := range tests {
		b.set("status_shape", test.shape)
		values := form("merchant_order_ids[]", "paid", "is_extended", test.extended)
		if got := b.send("POST", statusPath, values); string(got.Data) != test.want {
			t.Errorf("%s %q: %s, want %s", test.shape, test.extended, got.Data, test.want)
		}
	}
	b.set("status_shape", "bool")
	if data := b.status("open", "paid"); data != `{"open":false,"paid":true}` {
		t.Errorf("two orders: %s", data)
	}
	b.set("status_shape", "object")
	b.set("amount_type", "string")
	if data := b.status("paid"); data != `{"paid":{"is_paid":true,"amount":"2500","cashback":"125"}}` {
		t.Errorf("C5 amounts as text: %s", data)
	}
	b.set("balance_percent", "40")
	b.paid("mixed", "2500")
	b.set("status_shape", "full")
	b.set("amount_type", "number")
	if i := b.item("mixed"); i.Balance == nil || *i.Balance != 1000 {
		t.Errorf("status %+v, want 1000 from the balance", i)
	}
}

func statusIDs(t *testing.T, b *bench) {
	b.set("status_shape", "bool")
	b.create("1", "100")
	b.create("2", "100")
	const both = `{"1":false,"2":false}`
	for name, values := range map[string]url.Values{
		"[] repeated": form("merchant_order_ids[]", "1", "merchant_order_ids[]", "2"),
		"[0] [1]":     form("merchant_order_ids[0]", "1", "merchant_order_ids[1]", "2"),
	} {
		if got := b.send("POST", statusPath, values); string(got.Data) != both {
			t.Errorf("%s: %s, want %s", name, got.Data, both)
		}
	}
	for _, name := range []string{"merchant_order_ids", "merchant_order_id", "other"} {
		b.refused(b.send("POST", statusPath, form(name, "1")), 200, 422)
	}
}

func unknownIDs(t *testing.T, b *bench) {
	for setting, want := range map[string]string{"array": `[]`, "null": `null`, "object": `{}`} {
		b.set("empty_map", setting)
		if data := b.status("none"); data != want {
			t.Errorf("empty_map %s: %s, want %s", setting, data, want)
		}
	}
	b.create("1", "100")
	b.set("status_shape", "bool")
	if data := b.status("1", "none"); data != `{"1":false}` {
		t.Errorf("omit: %s", data)
	}
	b.set("unknown_ids", "false")
	if data := b.status("none"); data != `{"none":false}` {
		t.Errorf("false: %s", data)
	}
	b.set("unknown_ids", "object")
	data := b.status("none")
	if !strings.Contains(data, `"is_paid":false`) || !strings.Contains(data, `"reference":null`) {
		t.Errorf("object: %s", data)
	}
	b.set("unknown_ids", "error")
	b.refused(b.send("POST", statusPath, form("merchant_order_ids[]", "none")), 200, 404)
}

func latePayment(t *testing.T, b *bench) {
	b.create("1", "2500", "timeout", "3600")
	b.create("default", "2500")
	b.Advance(30 * time.Minute)
	for id, want := range map[string]string{"1": "unpaid", "default": "expired"} {
		if o, err := b.Object(id); err != nil || o.State != want {
			t.Errorf("%s after 30 min: %s, %v; want %s", id, o.State, err, want)
		}
	}
	b.Advance(30 * time.Minute)
	if o, _ := b.Object("1"); o.State != "expired" || b.item("1").IsPaid {
		t.Errorf("after its timeout: %s", o.State)
	}
	b.move("1", "payer_pays")
	if !b.item("1").IsPaid {
		t.Error("a late payment did not turn is_paid true")
	}
	b.wantEffects("charge 250000")
	if i := b.create("expired", "906"); i.ID == 0 || b.item("expired").IsPaid {
		t.Errorf("906: %+v", i)
	}
}

// TestNothingKeptAfterReset: a reset simulator knows no order, no token and no magic that was used up.
func TestNothingKeptAfterReset(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.paid("1", "2500")
	b.Reset()
	b.refused(b.send("GET", availabilityPath, nil), http.StatusUnauthorized, 9)
	b.login()
	if data := b.status("1"); data != "[]" || len(b.Objects())+len(b.Effects()) != 0 {
		t.Errorf("after reset: %s", data)
	}
}
