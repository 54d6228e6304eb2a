package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// A first payment, with the guide's example plugin run in-process and a provider
// that answers once well and once not at all.
func Example() {
	ctx := context.Background()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") == "op-1" {
			fmt.Fprint(w, `{"id":"ord_1","page":"https://aurora.example/p/ord_1"}`)
			return
		}
		panic(http.ErrAbortHandler) // the answer is lost
	}))
	defer provider.Close()

	h, err := host.New(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	// In production: host.Source{Path: "build/plugins/aurora.wasm"}.
	if _, err := h.Load(ctx, "aurora", host.Source{Native: sdk.Native(aurora.New())}); err != nil {
		fmt.Println(err)
		return
	}
	conn, err := h.Connect(ctx, host.ConnectionConfig{
		Name: "main", Plugin: "aurora", BaseURL: provider.URL,
		Settings: json.RawMessage(`{"shop_id":"s1"}`),
		Secrets:  map[string]vault.Secret{"api_key": vault.NewSecret("an-api-key-of-some-length")},
		Egress:   host.Grant{AllowPrivate: true, AllowHTTP: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []string{"op-1", "op-2"} {
		result, err := conn.Create(ctx, pay.CreateRequest{
			Intent: pay.Intent{Key: key}, OrderID: "1001", Amount: pay.New(1230, "EUR"),
		})
		if err != nil {
			e := pay.AsError(err)
			fmt.Println(result.Outcome, "class", e.Class, "effect", e.Effect, "advice", e.Advice)
			continue
		}
		fmt.Println(result.Outcome, result.Next.URL)
	}
	// Output:
	// applied https://aurora.example/p/ord_1
	// in_doubt class unavailable effect maybe advice retry_same_key
}

// Reading a connection's mistake: the field's path tells where.
func ExampleHost_Connect() {
	h, err := host.New(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	ctx := context.Background()
	if _, err := h.Load(ctx, "aurora", host.Source{Native: sdk.Native(aurora.New())}); err != nil {
		fmt.Println(err)
		return
	}
	_, err = h.Connect(ctx, host.ConnectionConfig{
		Name: "main", Plugin: "aurora", BaseURL: "https://api.aurora.example", Settings: json.RawMessage(`{"shop":"s1"}`),
	})
	fmt.Println(pay.AsError(err).Class, pay.AsError(err).Field)
	// Output:
	// config connections.main.settings.shop
}
