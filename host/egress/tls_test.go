package egress_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
)

// mutualTLS answers each request with the name in the client's certificate.
func mutualTLS(t testing.TB, config *tls.Config) *wire {
	t.Helper()
	return serve(t, config, func(c net.Conn, s seen) bool {
		name := c.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
		return say(ok(name))(c, s)
	})
}

func withTill(t testing.TB, identity vault.IdentityConfig) func(*egress.Config) {
	t.Helper()
	return holding(t, vault.Config{Identities: map[string]vault.IdentityConfig{"till": identity}})
}

func asTill(base string) *egress.Request {
	r := pay(base, "/pay")
	r.Identity = "till"
	return r
}

// TestRotation replaces the certificate's files under a running client.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			p := newPKI(t)
			config := p.mutual()
			config.MinVersion, config.MaxVersion = version, version
			w := mutualTLS(t, config)
			var closed atomic.Int32
			c := open(t, w.URL, withTill(t, p.client("till one", nil)))

			for range 3 {
				if got := string(mustDo(t, c, asTill(w.URL)).Body); got != "till one" {
					t.Fatalf("shown as %q", got)
				}
			}
			if w.connections() != 1 {
				t.Errorf("%d connections; want the one to be kept", w.connections())
			}

			identity := p.client("till two", nil)
			for _, path := range []string{identity.CertFile, identity.KeyFile} {
				later := time.Now().Add(time.Minute) // file systems may not tell two writes within a tick apart
				must(t, os.Chtimes(path, later, later))
			}
			go func() {
				// The old connection is idle, so the rotation closes it.
				w.mu.Lock()
				old := w.conns[0]
				w.mu.Unlock()
				_, _ = io.Copy(io.Discard, old)
				closed.Add(1)
			}()
			eventually(t, func() bool { return string(mustDo(t, c, asTill(w.URL)).Body) == "till two" }) // files are not looked at for each call
			for range 3 {
				if got := string(mustDo(t, c, asTill(w.URL)).Body); got != "till two" {
					t.Fatalf("shown as %q after the rotation", got)
				}
			}
			if w.connections() != 2 {
				t.Errorf("%d connections; want one for each certificate", w.connections())
			}
			eventually(t, func() bool { return closed.Load() == 1 })
		})
	}
}

// TestHandshakeFailures: what fails before TLS stands is not sent.
func TestHandshakeFailures(t *testing.T) {
	t.Parallel()
	p, stranger := newPKI(t), newPKI(t)
	only12 := p.mutual()
	only12.MaxVersion = tls.VersionTLS12
	old := p.server()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	expired := p.server()
	key, cert := p.issue("server", func(c *x509.Certificate) {
		c.IPAddresses, c.NotAfter = []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(-time.Minute)
	})
	expired.Certificates = []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}
	elsewhere := p.server()
	key, cert = p.issue("server", func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} })
	elsewhere.Certificates = []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}

	for name, tc := range map[string]struct {
		server   *tls.Config
		identity vault.IdentityConfig
	}{
		"unknown authority":     {stranger.server(), p.trust()},
		"another host":          {elsewhere, p.trust()},
		"expired":               {expired, p.trust()},
		"TLS 1.1":               {old, p.trust()},
		"client refused by 1.2": {only12, strange(stranger.client("stranger", nil), p)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, tc.server, say(ok("fine")))
			c := open(t, w.URL, withTill(t, tc.identity))
			_, x := mustFail(t, c, asTill(w.URL), egress.TLS, egress.NotSent)
			if a := x.Attempts[0]; a.BytesOut != 0 || a.Phase != egress.Prepared {
				t.Errorf("attempt: %+v", a)
			}
		})
	}
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer listener.Close()
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
				_ = conn.Close()
			}
		}()
		base := "https://" + listener.Addr().String()
		c := open(t, base, withTill(t, p.trust()))
		_, x, err := c.Do(t.Context(), asTill(base))
		if err == nil || x.Evidence != egress.NotSent {
			t.Errorf("%v, %v", err, x)
		}
	})
}

// strange is the identity of one authority that trusts the servers of another.
func strange(identity vault.IdentityConfig, p *pki) vault.IdentityConfig {
	identity.CAFile = p.trust().CAFile
	return identity
}

// TestRefusedByTLS13: a TLS 1.3 server judges the client after the client may have sent. Bytes left, so it's
// in doubt.
func TestRefusedByTLS13(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	w := mutualTLS(t, p.mutual())
	c := open(t, w.URL, withTill(t, strange(newPKI(t).client("stranger", nil), p)))
	_, x, err := c.Do(t.Context(), asTill(w.URL))
	want := egress.Unknown
	if x.Attempts[0].BytesOut == 0 {
		want = egress.NotSent // the refusal came just before the request was let out
	}
	if err == nil || x.Evidence != want || len(w.all("")) != 0 {
		t.Errorf("%v, %v", err, x)
	}
}

// TestIdentityRules: what is known to be refused is not tried.
func TestIdentityRules(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	w, other := mutualTLS(t, p.mutual()), mutualTLS(t, p.mutual())
	plain := serve(t, nil, say(ok("fine")))
	var late atomic.Bool
	c := open(t, w.URL, withTill(t, p.client("till", nil)), func(c *egress.Config) {
		c.Allow = append(c.Allow, origin(t, other.URL), origin(t, plain.URL))
		c.IdentityBindings["till"] = []egress.Rule{origin(t, w.URL), origin(t, plain.URL)}
		c.Now = func() time.Time {
			if late.Load() {
				return time.Now().Add(2 * time.Hour)
			}
			return time.Now()
		}
	})
	mustDo(t, c, asTill(w.URL))
	mustFail(t, c, asTill(other.URL), egress.Refused, egress.NotSent)
	mustFail(t, c, asTill(plain.URL), egress.Refused, egress.NotSent)
	late.Store(true)
	mustFail(t, c, asTill(w.URL), egress.Refused, egress.NotSent) // expired meanwhile
	if len(w.all("")) != 1 || len(other.all(""))+len(plain.all("")) != 0 {
		t.Error("a refused request was sent")
	}
}

// TestResumption: the second connection resumes the TLS session of the first.
func TestResumption(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	var resumed atomic.Int32
	w := serve(t, p.server(), func(c net.Conn, s seen) bool {
		if c.(*tls.Conn).ConnectionState().DidResume {
			resumed.Add(1)
		}
		return sayAndClose(answer(200, "", "Connection: close"))(c, s)
	})
	c := open(t, w.URL, trusting(t, p))
	for range 3 {
		r := get(w.URL, "/")
		r.Identity = "trust"
		mustDo(t, c, r)
	}
	if w.connections() != 3 || resumed.Load() != 2 {
		t.Errorf("%d connections, %d of them resumed; want 3 and 2", w.connections(), resumed.Load())
	}
}
