package certs_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/certs"
)

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := authority(t, "test authority"), authority(t, "test authority")
	server := serve(t, ours)

	till, err := ours.Client("till-1")
	must(t, err)
	foreign, err := theirs.Client("till-1")
	must(t, err)
	expired, err := ours.ClientFrom("till-1", time.Now().Add(-certs.Lifetime-time.Minute))
	must(t, err)
	future, err := ours.ClientFrom("till-1", time.Now().Add(2*time.Hour))
	must(t, err)
	wrongUse, err := ours.Server()
	must(t, err)

	for _, tc := range []struct {
		name  string
		id    *certs.Identity
		roots *x509.CertPool
		ok    bool
	}{
		{"good", till, ours.Pool(), true},
		{"none", nil, ours.Pool(), false},
		{"of another authority", foreign, ours.Pool(), false},
		{"expired", expired, ours.Pool(), false},
		{"not yet valid", future, ours.Pool(), false},
		{"a server's", wrongUse, ours.Pool(), false},
		{"good, server not trusted", till, theirs.Pool(), false},
	} {
		got, err := get(server.URL, tc.id, tc.roots)
		if tc.ok && (err != nil || got != "till-1") || !tc.ok && err == nil {
			t.Errorf("certificate %s: %q, %v, want let in %v", tc.name, got, err, tc.ok)
		}
	}
}

func TestServerHosts(t *testing.T) {
	t.Parallel()
	ca := authority(t, "hosts")
	for _, tc := range []struct {
		hosts   []string
		covered []string
		not     string
	}{
		{nil, []string{"127.0.0.1", "::1", "localhost"}, "example.org"},
		{[]string{"kassa.example", "10.0.0.7"}, []string{"kassa.example", "10.0.0.7"}, "localhost"},
	} {
		id, err := ca.Server(tc.hosts...)
		must(t, err)
		for _, host := range tc.covered {
			if err := id.TLS.Leaf.VerifyHostname(host); err != nil {
				t.Errorf("hosts %v: %v", tc.hosts, err)
			}
		}
		if id.TLS.Leaf.VerifyHostname(tc.not) == nil {
			t.Errorf("hosts %v: also good for %s", tc.hosts, tc.not)
		}
	}
}

func TestCertificatesAreShortLivedAndDistinct(t *testing.T) {
	t.Parallel()
	ca := authority(t, "distinct")
	serials := map[string]bool{}
	for range 20 {
		id, err := ca.Client("till")
		must(t, err)
		leaf := id.TLS.Leaf
		serials[leaf.SerialNumber.String()] = true
		if leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() > 128 {
			t.Errorf("serial number %v", leaf.SerialNumber)
		}
		if left := time.Until(leaf.NotAfter); left > certs.Lifetime || left < certs.Lifetime-time.Hour {
			t.Errorf("valid for another %v, want about %v", left, certs.Lifetime)
		}
		if leaf.IsCA {
			t.Error("a client certificate may sign others")
		}
	}
	if len(serials) != 20 {
		t.Errorf("%d serial numbers for 20 certificates", len(serials))
	}
}

func TestWriteFiles(t *testing.T) {
	t.Parallel()
	dir, ca := t.TempDir(), authority(t, "files")
	id, err := ca.Client("till-1")
	must(t, err)
	must(t, ca.WriteFile(filepath.Join(dir, "ca.pem")))
	must(t, id.WriteFiles(dir, "till"))

	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "till.crt"), filepath.Join(dir, "till.key"))
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(t, dir, "ca.pem")) {
		t.Fatal("ca.pem holds no certificate")
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: usage}); err != nil {
		t.Errorf("till.crt against ca.pem: %v", err)
	}
	checkMode(t, dir, map[string]os.FileMode{"till.key": 0o600, "till.crt": 0o644, "ca.pem": 0o644})

	for _, err := range []error{
		id.WriteFiles(filepath.Join(dir, "missing"), "till"),
		ca.WriteFile(filepath.Join(dir, "missing", "ca.pem")),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "certs: write: ") {
			t.Errorf("into a missing folder: %v", err)
		}
	}
}

func TestKeyPairFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair, err := certs.NewKeyPair()
	must(t, err)
	must(t, pair.WritePrivate(filepath.Join(dir, "qr.pem")))
	must(t, pair.WritePublic(filepath.Join(dir, "app.pub")))
	checkMode(t, dir, map[string]os.FileMode{"qr.pem": 0o600, "app.pub": 0o644})

	private, err := x509.ParsePKCS8PrivateKey(block(t, read(t, dir, "qr.pem"), "PRIVATE KEY"))
	must(t, err)
	public, err := x509.ParsePKIXPublicKey(block(t, read(t, dir, "app.pub"), "PUBLIC KEY"))
	must(t, err)
	if bits := public.(*rsa.PublicKey).N.BitLen(); bits != 2048 {
		t.Errorf("key of %d bits, want 2048", bits)
	}
	digest := sha256.Sum256([]byte("signed by the file, checked by the file"))
	sign, err := rsa.SignPKCS1v15(rand.Reader, private.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	must(t, err)
	if err := rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, digest[:], sign); err != nil {
		t.Errorf("the files are not halves of one key: %v", err)
	}
}

// serve starts a server that answers with the client certificate's name.
func serve(t *testing.T, ca *certs.Authority) *httptest.Server {
	t.Helper()
	id, err := ca.Server()
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{id.TLS},
		ClientCAs:    ca.Pool(),
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the point
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// get asks the server who it thinks the client is.
func get(url string, id *certs.Identity, roots *x509.CertPool) (string, error) {
	config := &tls.Config{RootCAs: roots}
	if id != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &id.TLS, nil // even where the server says that it will not like it
		}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func authority(t *testing.T, name string) *certs.Authority {
	t.Helper()
	ca, err := certs.NewAuthority(name)
	must(t, err)
	return ca
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return data
}

func block(t *testing.T, data []byte, kind string) []byte {
	t.Helper()
	b, rest := pem.Decode(data)
	if b == nil || b.Type != kind || len(rest) != 0 {
		t.Fatalf("want one %s block, got %q", kind, data)
	}
	return b.Bytes
}

func checkMode(t *testing.T, dir string, modes map[string]os.FileMode) {
	t.Helper()
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", name, got, want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
