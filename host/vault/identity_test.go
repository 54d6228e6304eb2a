package vault_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/vault"
)

// till writes the files of an identity and returns its configuration.
func till(t *testing.T, dir string) vault.IdentityConfig {
	t.Helper()
	return vault.IdentityConfig{
		CertFile: write(t, dir, "till.crt", selfSigned(p256Key(), leaf{})),
		KeyFile:  write(t, dir, "till.key", pkcs8(p256Key())),
		CAFile:   write(t, dir, "ca.pem", selfSigned(rsaKey(), leaf{})),
	}
}

func openTill(t *testing.T, config vault.IdentityConfig) *vault.Identity {
	t.Helper()
	identity, err := vault.OpenIdentity("till", config)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// The fields of an identity.
const (
	certField = "tls.client_cert_file"
	keyField  = "tls.client_key_file"
	caField   = "tls.ca_file"
)

// identityRefusal changes a good configuration so that it must be refused, with these problems by field.
type identityRefusal struct {
	change func(config *vault.IdentityConfig, put func(name string, data []byte) string)
	want   map[string]string
}

func identityRefusals() map[string]identityRefusal {
	type config = *vault.IdentityConfig
	type putter = func(name string, data []byte) string
	past := leaf{from: time.Now().Add(-2 * time.Hour), until: time.Now().Add(-time.Hour)}
	future := leaf{from: time.Now().Add(time.Hour), until: time.Now().Add(2 * time.Hour)}
	broken := append(selfSigned(rsaKey(), leaf{}), encode("CERTIFICATE", []byte(hushed))...)
	return map[string]identityRefusal{
		"nothing": {
			func(c config, _ putter) { *c = vault.IdentityConfig{} },
			map[string]string{"tls": "no file is given"},
		},
		"no key": {
			func(c config, _ putter) { c.KeyFile = "" },
			map[string]string{keyField: "is missing"},
		},
		"no certificate": {
			func(c config, _ putter) { c.CertFile = "" },
			map[string]string{certField: "is missing"},
		},
		"other key": {
			func(c config, put putter) { c.KeyFile = put("other.key", pkcs8(p384Key())) },
			map[string]string{keyField: "other.key: is not the key of the certificate in till.crt"},
		},
		"expired": {
			func(c config, put putter) { c.CertFile = put("old.crt", selfSigned(p256Key(), past)) },
			map[string]string{certField: "old.crt: the certificate expired at 20"},
		},
		"not yet valid": {
			func(c config, put putter) { c.CertFile = put("new.crt", selfSigned(p256Key(), future)) },
			map[string]string{certField: "new.crt: the certificate is not valid before 20"},
		},
		"swapped": {
			func(c config, _ putter) { c.CertFile, c.KeyFile = c.KeyFile, c.CertFile },
			map[string]string{
				certField: `holds no certificate, only "PRIVATE KEY"`,
				keyField:  `holds no private key, only "CERTIFICATE"`,
			},
		},
		"all missing": {func(c config, _ putter) {
			c.CertFile, c.KeyFile, c.CAFile = "/nowhere/a.crt", "/nowhere/a.key", "/nowhere/ca.pem"
		}, map[string]string{
			certField: "a.crt: no such file", keyField: "a.key: no such file", caField: "ca.pem: no such file",
		}},
		"empty CA file": {
			func(c config, put putter) { c.CAFile = put("ca", nil) },
			map[string]string{caField: "holds no PEM block"},
		},
		"broken CA": {
			func(c config, put putter) { c.CAFile = put("ca", broken) },
			map[string]string{caField: "certificate 2 does not parse"},
		},
		"folder": {
			func(c config, _ putter) { c.CAFile = filepath.Dir(c.CAFile) },
			map[string]string{caField: "is not a regular file"},
		},
	}
}

func TestIdentityRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range identityRefusals() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := till(t, dir)
			test.change(&config, func(name string, data []byte) string { return write(t, dir, name, data) })
			_, err := vault.OpenIdentity("till", config)
			problems := map[string]string{}
			for _, problem := range vault.FieldErrors(err) {
				problems[problem.Field] = problem.Problem
			}
			for field, want := range test.want {
				got := problems[field]
				if !strings.Contains(got, want) || !strings.HasPrefix(got, `identity "till": `) {
					t.Errorf("%s: %q, want %q", field, got, want)
				}
			}
			if len(problems) != len(test.want) {
				t.Errorf("problems = %v, want %d", problems, len(test.want))
			}
			for _, hidden := range []string{dir + "/", "/nowhere", hushed} {
				if err != nil && strings.Contains(err.Error(), hidden) {
					t.Errorf("the error tells %q: %v", hidden, err)
				}
			}
		})
	}
}

func TestIdentityOfAuthoritiesOnly(t *testing.T) {
	t.Parallel()
	config := till(t, t.TempDir())
	config.CertFile, config.KeyFile = "", ""
	current := openTill(t, config).Current()
	if current.Certificate != nil || current.Roots == nil || current.Version != 1 {
		t.Errorf("Current = %+v, want only Roots", current)
	}
	config = till(t, t.TempDir())
	config.CAFile = ""
	if current = openTill(t, config).Current(); current.Certificate == nil || current.Roots != nil {
		t.Errorf("Current = %+v, want only Certificate", current)
	}
}

// A real handshake, in which the server insists on the client's certificate, before and after a rotation.
func TestIdentityOverMutualTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := till(t, dir)
	serverCert := must(tls.X509KeyPair(selfSigned(rsaKey(), leaf{}), pkcs8(rsaKey())))
	var serial atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		serial.Store(r.TLS.PeerCertificates[0].SerialNumber.Int64())
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{serverCert}, ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	config.CAFile = write(t, dir, "ca.pem", encode("CERTIFICATE", serverCert.Certificate[0]))
	identity := openTill(t, config)

	for i := range int64(2) {
		write(t, dir, "till.crt", selfSigned(p256Key(), leaf{serial: i}))
		current := identity.Current()
		transport := &http.Transport{TLSClientConfig: &tls.Config{
			Certificates: []tls.Certificate{*current.Certificate}, RootCAs: current.Roots, ServerName: "localhost",
		}}
		request := must(http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil))
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		transport.CloseIdleConnections()
		if serial.Load() != i+1 {
			t.Errorf("the server saw certificate %d, want %d", serial.Load(), i+1)
		}
	}
}

func TestIdentityRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	told := &reports{}
	config := till(t, dir)
	config.OnReloadError = told.add
	identity := openTill(t, config)
	first := identity.Current()

	expect := func(what string, version uint64, reported int) vault.Material {
		t.Helper()
		var current vault.Material
		for range 3 { // looking again changes nothing and reports nothing more
			current = identity.Current()
		}
		if current.Version != version {
			t.Errorf("%s: version %d, want %d", what, current.Version, version)
		}
		if got := told.list(); len(got) != reported {
			t.Errorf("%s: reports %q, want %d", what, got, reported)
		}
		return current
	}
	expect("untouched", 1, 0)
	write(t, dir, "till.crt", must(os.ReadFile(config.CertFile)))
	expect("equal file put in place", 1, 0)

	newCert := selfSigned(p384Key(), leaf{})
	write(t, dir, "till.crt", newCert)
	if current := expect("new certificate, old key", 1, 1); current.Certificate != first.Certificate {
		t.Error("the old pair did not stay")
	}
	write(t, dir, "till.key", pkcs8(p384Key()))
	current := expect("new key", 2, 1)
	want := must(tls.X509KeyPair(newCert, pkcs8(p384Key())))
	if !cmp.Equal(current.Certificate.Certificate, want.Certificate) {
		t.Error("the new certificate is not in use")
	}

	if err := os.WriteFile(config.CAFile, []byte("-----BEGIN CERT"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("half a file", 2, 2)
	if err := os.Remove(config.CAFile); err != nil {
		t.Fatal(err)
	}
	expect("no file", 2, 3)
	write(t, dir, "ca.pem", selfSigned(otherRSAKey(), leaf{}))
	expect("new authority", 3, 3)
	for _, report := range told.list() {
		if !strings.HasPrefix(report, "till: tls.") || strings.Contains(report, dir) {
			t.Errorf("report %q, want the name, the field and no folder", report)
		}
	}
}

// Either of these leaves the file's size and time as they were: another write within one tick of the file
// system's clock, and a long settled file replaced by another one.
func TestIdentitySeesChangeWithEqualTime(t *testing.T) {
	t.Parallel()
	a, b := selfSigned(p256Key(), leaf{serial: 1}), selfSigned(p256Key(), leaf{serial: 2})
	for len(a) != len(b) { // ECDSA signatures differ in length by chance
		b = selfSigned(p256Key(), leaf{serial: 2})
	}
	tests := map[string]struct {
		age     time.Duration
		replace func(t *testing.T, path string) error
	}{
		"written again": {0, func(_ *testing.T, path string) error { return os.WriteFile(path, b, 0o600) }},
		"replaced": {time.Hour, func(t *testing.T, path string) error {
			write(t, filepath.Dir(path), filepath.Base(path), b)
			return nil
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.Now().Add(-test.age)
			path := write(t, t.TempDir(), "ca.pem", a)
			age(t, path, at)
			identity := openTill(t, vault.IdentityConfig{CAFile: path})
			if err := test.replace(t, path); err != nil {
				t.Fatal(err)
			}
			age(t, path, at)
			if version := identity.Current().Version; version != 2 {
				t.Errorf("version %d, want 2", version)
			}
		})
	}
}

// age sets the time at which a file was changed.
func age(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestIdentityTakesEarlyCertificateWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	told := &reports{}
	var later atomic.Int64
	config := till(t, dir)
	config.OnReloadError = told.add
	config.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	identity := openTill(t, config)
	early := leaf{from: time.Now().Add(time.Hour), until: time.Now().Add(3 * time.Hour)}
	write(t, dir, "till.crt", selfSigned(p256Key(), early))
	for _, path := range []string{config.CertFile, config.KeyFile, config.CAFile} {
		age(t, path, time.Now().Add(-time.Hour)) // so that nothing but the clock changes below
	}
	for range 3 {
		if version := identity.Current().Version; version != 1 {
			t.Errorf("version %d before the certificate is valid, want 1", version)
		}
	}
	if got := told.list(); len(got) != 1 || !strings.Contains(got[0], "is not valid before") {
		t.Errorf("reports %q, want one", got)
	}
	later.Store(int64(2 * time.Hour))
	if version := identity.Current().Version; version != 2 {
		t.Errorf("version %d when the certificate is valid, want 2", version)
	}
}

// Every pair that is ever seen fits together, whatever the moment.
func TestIdentityRotationUnderUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	identity := openTill(t, till(t, dir))
	done := make(chan struct{})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			version := uint64(0)
			for {
				current := identity.Current()
				if current.Version < version {
					t.Errorf("version went from %d to %d", version, current.Version)
					return
				}
				version = current.Version
				if err := matches(current.Certificate); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	pairs := [][2][]byte{
		{selfSigned(p384Key(), leaf{}), pkcs8(p384Key())},
		{selfSigned(p256Key(), leaf{}), pkcs8(p256Key())},
	}
	for i := range 40 {
		write(t, dir, "till.crt", pairs[i%2][0])
		write(t, dir, "till.key", pairs[i%2][1])
		identity.Current()
	}
	close(done)
	users.Wait()
	if version := identity.Current().Version; version != 41 {
		t.Errorf("version %d after 40 rotations, want 41", version)
	}
}

// matches checks that the private key is that of the certificate.
func matches(certificate *tls.Certificate) error {
	private := certificate.PrivateKey.(*ecdsa.PrivateKey)
	if !private.PublicKey.Equal(certificate.Leaf.PublicKey) {
		return errors.New("certificate and key do not match")
	}
	return nil
}
