package smartpay_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

// TestWriteFiles does with the files alone what a payhost connection does with them.
func TestWriteFiles(t *testing.T) {
	t.Parallel()
	srv, dir := start(t), t.TempDir()
	files, err := srv.WriteFiles(dir)
	must(t, err)
	want := smartpay.Files{
		ClientCert: filepath.Join(dir, "till.crt"), ClientKey: filepath.Join(dir, "till.key"),
		CA: filepath.Join(dir, "ca.pem"), QRKey: filepath.Join(dir, "qr.pem"),
		AppPublic: filepath.Join(dir, "app.pub"),
	}
	if files != want {
		t.Errorf("files %+v, want %+v", files, want)
	}
	pair, err := tls.LoadX509KeyPair(files.ClientCert, files.ClientKey)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(readFile(t, files.CA))
	client := httpClient(t, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	till := &till{t: t, base: srv.URL(), client: client}
	till.auth("1")
	if name := pair.Leaf.Subject.CommonName; name != smartpay.DefaultTill {
		t.Errorf("certificate of %q, want %q", name, smartpay.DefaultTill)
	}

	private, err := x509.ParsePKCS8PrivateKey(pemBytes(t, files.QRKey))
	must(t, err)
	public, err := x509.ParsePKIXPublicKey(pemBytes(t, files.AppPublic))
	must(t, err)
	var qr struct{ Encrypted, Sign []byte } // base64 is how encoding/json reads bytes
	must(t, json.Unmarshal([]byte(present(t, srv)), &qr))
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, private.(*rsa.PrivateKey), qr.Encrypted, nil)
	must(t, err)
	digest := sha256.Sum256(plain)
	must(t, rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, digest[:], qr.Sign))
	if parts := strings.Split(string(plain), "."); len(parts) != 3 || parts[2] != "alice" {
		t.Errorf("the code says %q", plain)
	}

	if _, err := srv.WriteFiles(filepath.Join(dir, "missing")); err == nil {
		t.Error("files were written into a missing folder")
	}
}

func TestTheListenersAreSeparate(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	for _, path := range []string{"/_sim/reset", "/_sim/objects", "/payer", "/payer/code"} {
		till.refused(smartpay.CodeNoSuchCall, path, m{})
	}
	for _, path := range []string{"/v1/ping", "/v1/auth", "/v1/error_answers"} {
		if status, body, _ := browse(t, "GET", srv.ControlURL()+path, nil); status != http.StatusNotFound {
			t.Errorf("%s on the control listener: HTTP %d %s", path, status, body)
		}
	}
	plain := strings.Replace(srv.URL(), "https:", "http:", 1)
	if status, _, _ := browse(t, "GET", plain+"/v1/ping", nil); status != http.StatusBadRequest {
		t.Errorf("plain HTTP on the provider's listener: HTTP %d", status)
	}
}

func TestControlAPIOverHTTP(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	control := &script{t, srv.ControlURL()}
	control.post("/_sim/settings", `{"payer":"waits","pending_polls":0}`, 200)
	control.post("/_sim/settings", `{"pending_polls":-1}`, 400)
	id := till.commit("K", present(t, srv))
	till.release(id, 700)
	control.post("/_sim/objects/K/outcome", `{"outcome":"success"}`, 200)
	control.post("/_sim/objects/K/outcome", `{"outcome":"paid"}`, 400)
	control.post("/_sim/objects/nothing/outcome", `{"outcome":"success"}`, 404)
	if got := till.status(id); got != "success" {
		t.Errorf("state %s, want success", got)
	}
	for path, want := range map[string]string{
		"/_sim/objects/" + id: `"state":"success"`,
		"/_sim/effects":       `"kind":"charge"`,
		"/_sim/requests":      `"path":"/v1/purchase/release"`,
	} {
		if _, body, _ := browse(t, "GET", srv.ControlURL()+path, nil); !strings.Contains(body, want) {
			t.Errorf("%s answers %s without %s", path, body, want)
		}
	}
	control.post("/_sim/clock", `{"advance":"3h"}`, 200)
	till.refused(smartpay.CodeSessionExpired, statusPath, m{"purchase_id": id})
	control.post("/_sim/reset", ``, 200)
	till.refused(smartpay.CodeNoSession, statusPath, m{"purchase_id": id})
	wantEffects(t, srv)
	if n := len(srv.Kit().Objects()); n != 0 {
		t.Errorf("%d objects after a reset", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	options, err := material()
	must(t, err)
	for _, bad := range []string{"0.0.0.0:0", "192.0.2.1:0", "example.org:0", "nonsense", "[::]:0"} {
		o := options
		o.ControlListen = bad
		if srv, err := smartpay.New(o); err == nil || !strings.Contains(err.Error(), "ControlListen") {
			t.Errorf("control on %s: %v", bad, err)
			if srv != nil {
				_ = srv.Close()
			}
		}
	}
	taken := start(t)
	for _, field := range []func(*smartpay.Options, string){
		func(o *smartpay.Options, addr string) { o.Listen = addr },
		func(o *smartpay.Options, addr string) { o.ControlListen = addr },
	} {
		o := options
		u, err := url.Parse(taken.URL())
		must(t, err)
		field(&o, u.Host)
		if srv, err := smartpay.New(o); err == nil {
			_ = srv.Close()
			t.Error("two simulators share an address")
		}
	}
}

func TestZeroOptionsMakeTheirOwnKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	srv, err := smartpay.New(smartpay.Options{Start: at})
	must(t, err)
	t.Cleanup(func() { _ = srv.Close() })
	openTill(t, srv, "1").commit("K", present(t, srv))
	if got := srv.Kit().Now(); !got.Equal(at) {
		t.Errorf("the clock shows %v, want %v", got, at)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	must(t, srv.Kit().Fault(simkit.Fault{Path: "/v1/ping", Kind: simkit.Slow, DelayMS: 60_000}))
	slow := make(chan error, 1)
	go func() {
		_, err := till.send(http.MethodGet, "/v1/ping", "")
		slow <- err
	}()
	for len(srv.Kit().Requests()) < 2 { // auth, and the slow one
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	must(t, srv.Close())
	must(t, srv.Close())
	if err := <-slow; err == nil {
		t.Error("the slow answer came although the simulator closed")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("closing took %v", took)
	}
	for _, address := range []string{srv.URL(), srv.ControlURL()} {
		if _, err := till.client.Get(address); err == nil {
			t.Errorf("%s still answers", address)
		}
	}
}

// script is a script at the control API.
type script struct {
	t    *testing.T
	base string
}

func (c *script) post(path, body string, want int) {
	c.t.Helper()
	response, err := httpClient(c.t, nil).Post(c.base+path, "application/json", strings.NewReader(body))
	must(c.t, err)
	defer response.Body.Close()
	if response.StatusCode != want {
		c.t.Errorf("POST %s %s: HTTP %d, want %d", path, body, response.StatusCode, want)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

func pemBytes(t *testing.T, path string) []byte {
	t.Helper()
	block, _ := pem.Decode(readFile(t, path))
	if block == nil {
		t.Fatalf("%s is not PEM", path)
	}
	return block.Bytes
}
