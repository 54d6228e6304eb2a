package simkit_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

func TestNotifyKeepsTheOrderOfAnObject(t *testing.T) {
	t.Parallel()
	kit, _ := startToy(t)
	var mu sync.Mutex
	var got []string
	merchant := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.URL.RawQuery)
	}))
	t.Cleanup(merchant.Close)
	want := []string{"1", "2", "3", "4", "5", "6"}
	for _, n := range want {
		kit.Notify("postlink", "object", merchant.URL+"/?"+n)
	}
	kit.WaitDeliveries()
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) || len(kit.Deliveries()) != len(want) {
		t.Errorf("merchant got %v, want %v", got, want)
	}
}

func TestDeliverSendsHeadersAndBodyAsTheyAre(t *testing.T) {
	t.Parallel()
	kit, _ := startToy(t)
	const body = "{\"amount\": 12.30,\r\n\"name\":\"<Ä>\"}"
	got := make(chan string, 1)
	merchant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("X-Signature") + " " + string(text)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(merchant.Close)
	kit.Deliver(simkit.Delivery{
		Kind: "paid", Object: "1", Method: http.MethodPost, URL: merchant.URL, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Signature": {"abc"}},
	})
	kit.WaitDeliveries()
	if call, want := <-got, "POST application/json abc "+body; call != want {
		t.Errorf("merchant got %q, want %q", call, want)
	}
	made := kit.Deliveries()
	if len(made) != 1 || made[0].Status != http.StatusNoContent || made[0].Body != body || made[0].Header.Get("X-Signature") != "abc" {
		t.Errorf("deliveries %+v", made)
	}
}

func TestCourierStaysOnLoopback(t *testing.T) {
	t.Parallel()
	kit, _ := startToy(t)
	for _, link := range []string{"http://192.0.2.1:9/", "http://[2001:db8::1]:9/", "http://0.0.0.0:9/"} {
		d := kit.Ask(context.Background(), "checklink", "1", link, url.Values{"amount": {"1"}})
		if d.Status != 0 || !strings.Contains(d.Error, "loopback") {
			t.Errorf("%s: %+v, want a refusal to leave loopback", link, d)
		}
	}
}

func TestCourierFollowsNoRedirectAndSendsNothingAfterClose(t *testing.T) {
	t.Parallel()
	kit, _ := startToy(t)
	merchant := httptest.NewServer(http.RedirectHandler("http://192.0.2.1/", http.StatusFound))
	t.Cleanup(merchant.Close)
	kit.Notify("postlink", "1", merchant.URL)
	kit.WaitDeliveries()
	if made := kit.Deliveries(); len(made) != 1 || made[0].Status != http.StatusFound || made[0].Error != "" {
		t.Fatalf("deliveries %+v, want one that saw 302", made)
	}
	if err := kit.Close(); err != nil {
		t.Fatal(err)
	}
	kit.Notify("postlink", "1", merchant.URL)
	if d := kit.Ask(context.Background(), "checklink", "1", merchant.URL, nil); d.Error == "" {
		t.Error("asked after Close")
	}
	if n := len(kit.Deliveries()); n != 1 {
		t.Errorf("%d deliveries after Close, want 1", n)
	}
}
