package simkit_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// TestFaults holds the common cases C1 to C5 and C8.
func TestFaults(t *testing.T) {
	t.Parallel()
	const whole = `{"data":{"amount":100},"id":7,"paid":true,"state":"charged"}` + "\n"
	tests := []struct {
		name    string
		fault   simkit.Fault
		status  int // 0: no answer at all
		body    string
		effects int
	}{
		{"C1 answer lost after the effect", simkit.Fault{Kind: simkit.CutAfter}, 0, "", 1},
		{"C2 request lost before the effect", simkit.Fault{Kind: simkit.CutBefore}, 0, "", 0},
		{"C3 slow", simkit.Fault{Kind: simkit.Slow, DelayMS: 30}, 200, whole, 1},
		{"C4 empty", simkit.Fault{Kind: simkit.Empty}, 200, "", 0},
		{"C4 empty after", simkit.Fault{Kind: simkit.Empty, After: true}, 200, "", 1},
		{"C4 no content", simkit.Fault{Kind: simkit.Empty, Status: 204}, 204, "", 0},
		{"C4 byte order mark", simkit.Fault{Kind: simkit.BOM}, 200, "\xEF\xBB\xBF" + whole, 1},
		{"C4 not JSON", simkit.Fault{Kind: simkit.Answer, Body: "OK"}, 200, "OK", 0},
		{
			"C5 wrong types",
			simkit.Fault{Kind: simkit.WrongType},
			200,
			`{"data":1,"id":"7","paid":1,"state":{"value":"charged"}}`, 1,
		},
		{
			"C5 one wrong type",
			simkit.Fault{Kind: simkit.WrongType, Field: "data.amount"},
			200,
			`{"data":{"amount":"100"},"id":7,"paid":true,"state":"charged"}`, 1,
		},
		{"C8 503", simkit.Fault{Kind: simkit.Status, Status: 503}, 503, "503 Service Unavailable\n", 0},
		{
			"C8 500 after the effect",
			simkit.Fault{Kind: simkit.Status, After: true},
			500,
			"500 Internal Server Error\n", 1,
		},
		{"C8 own body", simkit.Fault{Kind: simkit.Status, Status: 429, Body: "{}"}, 429, "{}", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, url := startToy(t)
			test.fault.Path, test.fault.Count = "/charge", 1
			if err := kit.Fault(test.fault); err != nil {
				t.Fatal(err)
			}
			response, body, err := exchange("POST", url+"/charge", "shop-1")
			switch {
			case test.status == 0 && err == nil:
				t.Errorf("got %d %s, want no answer", response.StatusCode, body)
			case test.status != 0 && err != nil:
				t.Fatal(err)
			case test.status != 0 && (response.StatusCode != test.status || !sameBody(body, test.body)):
				t.Errorf("got %d %q, want %d %q", response.StatusCode, body, test.status, test.body)
			}
			if n := len(kit.Effects()); n != test.effects {
				t.Errorf("%d effects, want %d", n, test.effects)
			}
			if requests := kit.Requests(); len(requests) != 1 || requests[0].Fault != test.fault.Kind {
				t.Errorf("journal %v, want the one request and its fault", requests)
			}
			if _, _, err := exchange("POST", url+"/charge", ""); err != nil || len(kit.Faults()) != 0 {
				t.Errorf("the fault outlived its count: %v", err)
			}
		})
	}
}

// sameBody compares text, or JSON whatever the order of its members.
func sameBody(got []byte, want string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return string(got) == want
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	fault := simkit.Fault{
		Path: "/charge", Kind: simkit.Status, Status: 429, Headers: map[string]string{"Retry-After": "2"},
	}
	if err := kit.Fault(fault); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		response, _, err := exchange("POST", url+"/charge", "")
		if err != nil || response.StatusCode != 429 || response.Header.Get("Retry-After") != "2" {
			t.Fatalf("C8: %v %v, want 429 and Retry-After until it is removed", response, err)
		}
	}
	kit.ClearFaults()
	if response, _, err := exchange("POST", url+"/charge", ""); err != nil || response.StatusCode != 200 {
		t.Errorf("after ClearFaults: %v %v", response, err)
	}
}

func TestTruncateAnnouncesTheWholeBody(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	if err := kit.Fault(simkit.Fault{Path: "/charge", Kind: simkit.Truncate}); err != nil {
		t.Fatal(err)
	}
	response, body, err := exchange("POST", url+"/charge", "")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v, want an unexpected end", err)
	}
	if want := response.ContentLength / 2; int64(len(body)) != want {
		t.Errorf("%d bytes came, want %d", len(body), want)
	}
	if len(kit.Effects()) != 1 {
		t.Error("C4: a truncated answer comes after the effect")
	}
}

func TestHTMLPage(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	if err := kit.Fault(simkit.Fault{Path: "/*", Method: "POST", Kind: simkit.HTML}); err != nil {
		t.Fatal(err)
	}
	response, body, err := exchange("POST", url+"/charge", "")
	if err != nil || response.StatusCode != 502 || !strings.Contains(string(body), "<h1>502 Bad") {
		t.Errorf("C4: got %v %s %v, want an HTML page with 502", response, body, err)
	}
	if response, _, err := exchange("GET", url+"/charge", ""); err != nil || response.StatusCode != 200 {
		t.Errorf("another method was hit: %v %v", response, err)
	}
}

func TestHugeAnswer(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	if err := kit.Fault(simkit.Fault{Path: "/charge", Kind: simkit.Huge}); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url+"/charge", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil || n <= 64<<20 {
		t.Errorf("%d bytes, %v; want more than 64 MiB", n, err)
	}
}

func TestGzipBomb(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	if err := kit.Fault(simkit.Fault{Path: "/charge", Kind: simkit.GzipBomb}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Post(url+"/charge", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	packed, err := io.ReadAll(response.Body)
	if err != nil || response.Header.Get("Content-Encoding") != "gzip" || len(packed) > 2<<20 {
		t.Fatalf("%d bytes packed, %q, %v; want a small gzip body", len(packed), response.Header, err)
	}
	unzip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, unzip); err != nil || n <= 256<<20 {
		t.Errorf("expands to %d bytes, %v; want more than 256 MiB", n, err)
	}
}

// TestCloseEndsSlowAnswers: a simulator that is closed keeps nobody waiting.
func TestCloseEndsSlowAnswers(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	if err := kit.Fault(simkit.Fault{Path: "/charge", Kind: simkit.Slow, DelayMS: 600_000}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := exchange("POST", url+"/charge", "")
		done <- err
	}()
	deadline := time.Now().Add(10 * time.Second)
	for len(kit.Effects()) == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if err := kit.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("a slow answer came whole after Close")
	}
}

// TestOldestFaultHitsFirst: faults are used up in the order of arming.
func TestOldestFaultHitsFirst(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	for _, status := range []int{503, 502} {
		fault := simkit.Fault{Path: "/charge", Kind: simkit.Status, Status: status, Count: 2}
		if err := kit.Fault(fault); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{503, 503, 502, 502, 200} {
		response, _, err := exchange("POST", url+"/charge", "")
		if err != nil || response.StatusCode != want {
			t.Fatalf("request %d: %v %v, want %d", i, response, err, want)
		}
	}
}
