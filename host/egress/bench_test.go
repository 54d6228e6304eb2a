package egress_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/payhost/payhost/host/egress"
)

// BenchmarkDo compares a money request through a Client with the same by plain net/http, over kept TLS
// connections to a loopback server.
func BenchmarkDo(b *testing.B) {
	body := bytes.Repeat([]byte("amount=100&"), 60)
	reply := bytes.Repeat([]byte(`{"paid":true}`), 23)
	p := newPKI(b)
	settled := time.Now().Add(-time.Hour) // files that just changed are looked at more closely
	must(b, os.Chtimes(p.trust().CAFile, settled, settled))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(reply)
	}))
	server.TLS = p.server()
	server.StartTLS()
	b.Cleanup(server.Close)
	const form = "application/x-www-form-urlencoded"

	client := open(b, server.URL, trusting(b, p))
	roots := x509.NewCertPool()
	roots.AddCert(p.ca)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true, MaxIdleConnsPerHost: 64,
	}
	b.Cleanup(transport.CloseIdleConnections)
	plain := &http.Client{Transport: transport}

	b.Run("egress", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := pay(server.URL, "/pay")
			r.Identity, r.Body = "trust", body
			r.Header = []egress.Field{{Name: "Content-Type", Value: form}}
			if _, _, err := client.Do(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("net/http", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := http.NewRequestWithContext(b.Context(), "POST", server.URL+"/pay", bytes.NewReader(body))
			must(b, err)
			r.Header.Set("Content-Type", form)
			resp, err := plain.Do(r)
			must(b, err)
			_, err = io.ReadAll(resp.Body)
			must(b, err)
			_ = resp.Body.Close()
		}
	})
}
