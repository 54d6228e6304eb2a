package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

// recordCreate records one create of rahmet at its simulator, as serve writes it.
func recordCreate(t *testing.T, plugin string) string {
	t.Helper()
	sim := rahmet.New(rahmet.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close(); stop() }()
	path := filepath.Join(t.TempDir(), "r.recording.json")
	var once sync.Mutex
	h, err := host.New(host.Config{Record: func(r *host.Recording) {
		once.Lock()
		defer once.Unlock()
		if r.Operation == pay.OpCreate {
			if err := os.WriteFile(path, r.Mask().Encode(), 0o600); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Load(t.Context(), "rahmet", host.Source{Path: plugin}); err != nil {
		t.Fatal(err)
	}
	c, err := h.Connect(t.Context(), host.ConnectionConfig{
		Name: "main", Plugin: "rahmet", BaseURL: url, Egress: host.Grant{AllowPrivate: true, AllowHTTP: true},
		Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `"}`),
		Secrets: map[string]vault.Secret{
			"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Create(t.Context(), pay.CreateRequest{
		Intent: pay.Intent{Key: "op-1"}, PaymentID: "pay_1", OrderID: "100500", Amount: pay.New(250000, pay.KZT),
		Customer: pay.Customer{Name: "Canary", Email: "canary@shop.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReplayCommands makes a case of a recording, replays it with the plugin that
// made it, and then one that was changed.
func TestReplayCommands(t *testing.T) {
	t.Parallel()
	plugin := filepath.Join(plugins(t), "rahmet.wasm")
	from, dir := recordCreate(t, plugin), filepath.Join(t.TempDir(), "cases")
	command := func(format string, args ...string) (string, error) {
		var text bytes.Buffer
		out := &output{format: format, stdout: &text, stderr: &text}
		make := newReplay
		if args[0] == "case" {
			make = newCase
		}
		c := make(out)
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(args[1:])
		err := c.ExecuteContext(context.WithoutCancel(t.Context()))
		return text.String(), err
	}
	text, err := command("text", "case", from, "--out", dir, "--name", "first")
	made := filepath.Join(dir, "first.recording.json")
	if err != nil || !strings.Contains(text, made) || !strings.Contains(text, "POST /orders/v1/preorder/create 200, then applied") {
		t.Fatalf("%v\n%s", err, text)
	}
	if text, err = command("text", "replay", plugin, from, made); err != nil || !strings.Contains(text, "2 of 2 the same") {
		t.Fatalf("%v\n%s", err, text)
	}
	content, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(dir, "changed.recording.json")
	if err := os.WriteFile(changed, bytes.Replace(content, []byte("amount=2500"), []byte("amount=2400"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err = command("text", "replay", plugin, made, changed, filepath.Join(dir, "none.json"))
	if !errors.Is(err, errReported) || !strings.Contains(text, `form amount: was "2400", is "2500"`) || !strings.Contains(text, "1 of 3 the same") {
		t.Errorf("%v\n%s", err, text)
	}
	text, err = command("json", "replay", plugin, changed)
	var list []replayedView
	if jsonErr := json.Unmarshal([]byte(text), &list); jsonErr != nil || !errors.Is(err, errReported) || len(list) != 1 || list[0].Same {
		t.Errorf("%v, %v\n%s", err, jsonErr, text)
	}
	var usage *usageError
	if _, err := command("text", "case", from); !errors.As(err, &usage) {
		t.Errorf("error %v", err)
	}
	if _, err := command("text", "case", from, "--out", dir, "--name", "Refund 1"); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--name") {
		t.Errorf("a bad name: error %v", err)
	}
}
