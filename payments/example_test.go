package payments_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	plugin "github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// A payment through the durable engine, with no daemon and no HTTP API: the same
// request under the same key is the same payment.
func Example() {
	if err := embed(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pending, next redirect
	// the same payment: true, replayed: true
}

func embed(ctx context.Context) error {
	provider := rahmet.New(rahmet.Options{}) // a simulator plays the provider
	defer provider.Close()
	url, stop, err := simkit.Start("127.0.0.1:0", provider)
	if err != nil {
		return err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "payhost-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	ledger, err := store.OpenSQLite(ctx, filepath.Join(dir, "payhost.db"), store.Config{})
	if err != nil {
		return err
	}
	defer ledger.Close()
	h, err := host.New(host.Config{})
	if err != nil {
		return err
	}
	defer h.Close()
	// In production: host.Source{Path: "build/plugins/rahmet.wasm"}.
	if _, err := h.Load(ctx, "rahmet", host.Source{Native: sdk.Native(plugin.New())}); err != nil {
		return err
	}
	_, err = h.Connect(ctx, host.ConnectionConfig{
		Name: "rahmet-main", Plugin: "rahmet", BaseURL: url,
		Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `"}`),
		Secrets: map[string]vault.Secret{
			"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
		},
		Egress: host.Grant{AllowPrivate: true, AllowHTTP: true}, // the simulator lives on loopback
	})
	if err != nil {
		return err
	}
	engine, err := payments.New(payments.Config{Host: h, Store: ledger})
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close(ctx) }()
	if err := engine.Start(ctx); err != nil {
		return err
	}
	call := payments.Call{Caller: "shop", Key: "order-17"}
	order := payments.NewPayment{
		Connection: "rahmet-main", OrderID: "17", Amount: pay.New(250000, pay.KZT), ReturnURL: "https://shop.example/thanks",
	}
	first, err := engine.Create(ctx, call, order)
	if err != nil {
		return err
	}
	fmt.Printf("%s, next %s\n", first.Book.Status, first.Book.Next.Type)
	again, err := engine.Create(ctx, call, order)
	if err != nil {
		return err
	}
	fmt.Printf("the same payment: %t, replayed: %t\n", again.Book.ID == first.Book.ID, again.Replayed)
	return nil
}
