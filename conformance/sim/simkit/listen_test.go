package simkit_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

func TestStart(t *testing.T) {
	t.Parallel()
	url, stop, err := simkit.Start(":0", http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("an address without a host listens on %s, want loopback", url)
	}
	if _, _, err := simkit.Start(strings.TrimPrefix(url, "http://"), http.NotFoundHandler()); err == nil {
		t.Error("a taken port was taken again")
	}
	if _, _, err := simkit.Start("nonsense", http.NotFoundHandler()); err == nil {
		t.Error("a bad address was taken")
	}
	stop()
	if _, _, err := exchange("GET", url, ""); err == nil {
		t.Error("it answers after stop")
	}
}

// TestCutShowsASilentResend: Go's own client repeats a request that bears an idempotency key when a kept
// connection breaks. A cut must look like that, and the journal must tell it, or nobody could test against
// it.
func TestCutShowsASilentResend(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	charge := func() {
		request, err := http.NewRequest("POST", url+"/charge", strings.NewReader("shop-1"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Idempotency-Key", "1")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	charge()
	if err := kit.Fault(simkit.Fault{Path: "/charge", Kind: simkit.CutAfter, Count: 1}); err != nil {
		t.Fatal(err)
	}
	charge()
	if requests, effects := len(kit.Requests()), len(kit.Effects()); requests != 3 || effects != 3 {
		t.Errorf("two calls were %d requests and %d effects, want the resend to show as 3", requests, effects)
	}
}
