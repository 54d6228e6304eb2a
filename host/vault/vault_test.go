package vault_test

import (
	"crypto/ecdsa"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVaultLooksUpByName(t *testing.T) {
	t.Parallel()
	v, err := vault.New(vault.Config{
		Secrets: map[string]vault.Secret{"b": vault.NewSecret("two"), "a": vault.NewSecret("one")},
		Keys: map[string]vault.KeyConfig{
			"qr_sign": {PublicKeyPEM: pkix509(rsaKey().Public()), Algorithms: []vault.Algorithm{vault.RS256}},
			"mac":     {Secret: vault.NewSecret(hushed), Algorithms: []vault.Algorithm{vault.HS256}},
		},
		Identities: map[string]vault.IdentityConfig{"till": till(t, t.TempDir())},
	})
	if err != nil {
		t.Fatal(err)
	}
	names := [][]string{v.SecretNames(), v.KeyNames(), v.IdentityNames()}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"mac", "qr_sign"}, {"till"}}, names); diff != "" {
		t.Error(diff)
	}
	if secret, ok := v.Secret("a"); !ok || secret.Reveal() != "one" {
		t.Errorf("Secret(a) = %q, %v", secret.Reveal(), ok)
	}
	if key, ok := v.Key("mac"); !ok || key.Name() != "mac" {
		t.Errorf("Key(mac) = %v, %v", key, ok)
	}
	if identity, ok := v.Identity("till"); !ok || identity.Name() != "till" {
		t.Errorf("Identity(till) = %v, %v", identity, ok)
	}
	_, secretOK := v.Secret("mac")
	_, keyOK := v.Key("till")
	_, identityOK := v.Identity("a")
	if secretOK || keyOK || identityOK {
		t.Error("a name of one sort is found in another")
	}
}

func TestVaultTellsAllProblems(t *testing.T) {
	t.Parallel()
	long := vault.NewSecret(strings.Repeat("s", vault.MaxSecretLen+1))
	v, err := vault.New(vault.Config{
		Secrets: map[string]vault.Secret{
			"empty": {}, "": vault.NewSecret("x"), "long": long, "good": vault.NewSecret("x"),
		},
		Keys: map[string]vault.KeyConfig{
			"qr": {PrivateKeyFile: "/nowhere/qr.pem", PublicKeyPEM: []byte("x"), Algorithms: orRS256(nil)},
			"":   {},
		},
		Identities: map[string]vault.IdentityConfig{
			"till": {CertFile: "/nowhere/till.crt", KeyFile: "/nowhere/till.key"}, "": {},
		},
	})
	if v != nil {
		t.Error("a Vault is returned beside an error")
	}
	var got []string
	for _, problem := range vault.FieldErrors(err) {
		got = append(got, problem.Error())
	}
	want := []string{
		"secrets: a secret has no name",
		"secrets.empty: is empty",
		"secrets.long: has 16385 bytes: at most 16384 are accepted",
		"keys: a key has no name",
		"keys.qr.private_key_file: qr.pem: no such file or directory",
		"keys.qr.public_key: holds no PEM block",
		"tls: an identity has no name",
		`tls.client_cert_file: identity "till": till.crt: no such file or directory`,
		`tls.client_key_file: identity "till": till.key: no such file or directory`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// rotating is a key from a file, with what tells which of two keys a signature is by.
type rotating struct {
	key       *vault.Key
	told      *reports
	dir       string
	contents  [2][]byte // of the file, with the first and the second key
	verifiers [2]*vault.Key
}

func setupRotating(t *testing.T) *rotating {
	t.Helper()
	r := &rotating{told: &reports{}, dir: t.TempDir()}
	es256 := []vault.Algorithm{vault.ES256}
	for i, private := range []*ecdsa.PrivateKey{p256Key(), makeECDSA(p256Key().Curve)} {
		r.contents[i] = pkcs8(private)
		r.verifiers[i] = newKey(t, vault.KeyConfig{PublicKeyPEM: pkix509(private.Public()), Algorithms: es256})
	}
	file := write(t, r.dir, "sign.pem", r.contents[0])
	v, err := vault.New(vault.Config{
		Keys:          map[string]vault.KeyConfig{"sign": {PrivateKeyFile: file, Algorithms: es256}},
		OnReloadError: r.told.add,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.key, _ = v.Key("sign")
	return r
}

// signedBy signs and returns whose the signature is: 0, 1, or -1 if it is nobody's.
func (r *rotating) signedBy(t *testing.T) int {
	t.Helper()
	data := []byte("payhost")
	signature, err := r.key.Sign(vault.ES256, data)
	if err != nil {
		t.Error(err)
		return -1
	}
	for i, verifier := range r.verifiers {
		if verifier.Verify(vault.ES256, data, signature) == nil {
			return i
		}
	}
	t.Error("a signature is by neither key")
	return -1
}

// A key is replaced while it signs: every signature is by the old or by the new key, and no use fails.
func TestKeyRotationUnderUse(t *testing.T) {
	t.Parallel()
	r := setupRotating(t)
	done := make(chan struct{})
	var users sync.WaitGroup
	for range 3 {
		users.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					r.signedBy(t)
				}
			}
		})
	}
	for i := range 20 {
		next := 1 - i%2
		write(t, r.dir, "sign.pem", r.contents[next])
		if by := r.signedBy(t); by != next {
			t.Errorf("rotation %d: signed by key %d, want %d", i, by, next)
		}
	}
	close(done)
	users.Wait()
	if got := r.told.list(); len(got) != 0 {
		t.Errorf("reports %q, want none", got)
	}
}

func TestKeyOutlivesBadFiles(t *testing.T) {
	t.Parallel()
	r := setupRotating(t)
	bad := [][]byte{nil, r.contents[1][:100], pkcs8(rsaKey()), pkix509(rsaKey().Public())}
	for i, data := range bad {
		write(t, r.dir, "sign.pem", data)
		for range 2 {
			if by := r.signedBy(t); by != 0 {
				t.Errorf("bad file %d: signed by key %d, want the old one", i, by)
			}
		}
		if got := r.told.list(); len(got) != i+1 || !strings.HasPrefix(got[i], "sign: keys.sign.") {
			t.Errorf("bad file %d: reports %q", i, got)
		}
	}
	if err := os.Remove(filepath.Join(r.dir, "sign.pem")); err != nil {
		t.Fatal(err)
	}
	if by := r.signedBy(t); by != 0 {
		t.Errorf("without a file: signed by key %d, want the old one", by)
	}
	write(t, r.dir, "sign.pem", r.contents[1])
	if by := r.signedBy(t); by != 1 {
		t.Errorf("after the mending: signed by key %d, want the new one", by)
	}
}

// What the file holds may be anything; what comes out is a key or an error, and never a panic.
func FuzzKeyPEM(f *testing.F) {
	good := pkcs8(p256Key())
	f.Add(good)
	f.Add(pkix509(p256Key().Public()))
	f.Add(selfSigned(p256Key(), leaf{}))
	f.Add(pkcs8(edKey()))
	f.Add(good[:len(good)/2])
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Add(encode("CERTIFICATE", []byte{0x30, 0x80}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, config := range []vault.KeyConfig{{PrivateKeyPEM: data}, {PublicKeyPEM: data}} {
			config.Algorithms = []vault.Algorithm{vault.ES256}
			key, err := vault.NewKey("k", config)
			if (key == nil) == (err == nil) {
				t.Fatalf("NewKey = %v, %v", key, err)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if key == nil || config.PrivateKeyPEM == nil {
				continue
			}
			signature, err := key.Sign(vault.ES256, data)
			if err != nil || key.Verify(vault.ES256, data, signature) != nil {
				t.Errorf("a key that loads does not sign: %v", err)
			}
		}
	})
}
