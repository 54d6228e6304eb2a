package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/bench/internal/guests"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/witness"
)

const clients = 64

// build is where the plugins are.
var build string

// TestMain runs the collector as payhost serve does, for every variant alike.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	var err error
	if build, err = guests.ForTests("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// provider answers at once, over TLS.
func provider(tb testing.TB) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != benchwork.Path || r.Header.Get("Authorization") != "Bearer "+benchwork.Token || len(body) < 100 {
			http.Error(w, "asked for something else", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, benchwork.Answer)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server
}

// authority writes the provider's certificate to a file.
func authority(tb testing.TB, server *httptest.Server) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		tb.Fatal(err)
	}
	settled := time.Now().Add(-time.Hour) // a file that just changed is read again for every call
	if err := os.Chtimes(path, settled, settled); err != nil {
		tb.Fatal(err)
	}
	return path
}

// logic does the work for one request.
type logic func(context.Context, *benchwork.Request) (benchwork.Result, error)

// serve serves the work as a JSON API and returns its address.
func serve(tb testing.TB, do logic) string {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request benchwork.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := do(r.Context(), &request)
		if err == nil && result != benchwork.Want() {
			err = fmt.Errorf("wrong result %+v", result)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(&result)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

// post asks the API once.
func post(client *http.Client, url string, body []byte) error {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, err = do(client, r, http.StatusOK)
	return err
}

// do sends a request and returns the answer's body if it has the wanted status.
func do(client *http.Client, r *http.Request, want int) ([]byte, error) {
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s answers %d: %.300s", r.URL.Path, response.StatusCode, answer)
	}
	return answer, err
}

// sample is the body of every request.
func sample(tb testing.TB) []byte {
	tb.Helper()
	body, err := json.Marshal(benchwork.Sample())
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// load makes b.N requests with 64 clients and reports how many a second there were,
// and the middle and the 99th latency of a hundred in milliseconds.
func load(b *testing.B, url string) {
	b.Helper()
	body := sample(b)
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	var left atomic.Int64
	took := make([][]witness.Span, clients)
	machine := witness.Start()
	defer machine.Stop()
	run := func(n int) {
		left.Store(int64(n))
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					began := time.Now()
					if err := post(client, url, body); err != nil {
						b.Error(err)
						return
					}
					took[c] = append(took[c], witness.Span{Began: began, Ended: time.Now()})
				}
			})
		}
		wg.Wait()
	}
	run(4 * clients) // connections and instances are there
	clear(took)
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
	machine.Latency(b, slices.Concat(took...), "")
}
