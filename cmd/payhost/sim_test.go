package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSimTellsWhatItAccepts makes an order at aurora with what the command printed.
func TestSimTellsWhatItAccepts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"sim", "aurora", "--output", "json"}, in, io.Discard) }()
	var view map[string]string
	if err := json.NewDecoder(out).Decode(&view); err != nil {
		t.Fatal(err)
	}
	if view["webhook"] == "" {
		t.Error("no webhook key")
	}
	body := `{"shop":"` + view["shop_id"] + `","order":"1","amount":12.30,"currency":"EUR"}`
	req, err := http.NewRequest(http.MethodPost, view["base_url"]+"/v1/orders", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", view["api_key"])
	req.Header.Set("Idempotency-Key", "k")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("an order gave %s", resp.Status)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit %d", code)
	}
}
