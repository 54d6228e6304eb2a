package scenario

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"path/filepath"
	"strings"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// connection is how payhost connects to the provider.
type connection struct {
	path     string // after the simulator's address
	settings render // a JSON object, in which {base} stands for the address
	secrets  map[string]vault.Secret
}

// keyPair is a key of the connection's.
type keyPair struct {
	own    *vault.Key      // what the simulator signs with
	config vault.KeyConfig // what payhost has, unless signs
	public []byte          // what payhost has if the simulator signs with the private one
	signs  bool
}

func (f *file) readConnection(p place) {
	f.connection.secrets = map[string]vault.Secret{}
	f.settings, f.secrets, f.keys = map[string]string{}, map[string]string{}, map[string]*keyPair{}
	f.connection.settings = func(out []byte, _ *env) ([]byte, bool) { return append(out, "{}"...), true }
	if !p.given() {
		return
	}
	fields := p.fields("path", "settings", "secrets", "keys")
	if path := fields["path"]; path.given() {
		f.connection.path = path.text()
		if !strings.HasPrefix(f.connection.path, "/") {
			path.bad("must begin with a slash")
		}
	}
	if secrets := fields["secrets"]; secrets.given() {
		for _, e := range secrets.entries() {
			f.secrets[e.name] = e.text()
			f.connection.secrets[e.name] = vault.NewSecret(f.secrets[e.name])
		}
		if _, err := vault.New(vault.Config{Secrets: f.connection.secrets}); err != nil {
			secrets.bad("%s", oneLine(err))
		}
	}
	if settings := fields["settings"]; settings.given() {
		for _, e := range settings.entries() {
			plain := e.isScalar("!!str") && !strings.ContainsAny(e.node.Value, "{}")
			if plain || e.isScalar("!!int") || e.isScalar("!!bool") {
				f.settings[e.name] = e.node.Value
			}
		}
		s := &scope{file: f, call: &call{untyped: true}}
		f.connection.settings = s.tree(settings)
	}
	if keys := fields["keys"]; keys.given() {
		for _, e := range keys.entries() {
			f.keys[e.name] = f.readKey(e)
		}
	}
}

func (f *file) readKey(e entry) *keyPair {
	fields := e.fields("algorithms", "secret", "generate", "private_key", "public_key", "private_key_file", "public_key_file")
	k := &keyPair{}
	for _, name := range fields["algorithms"].texts() {
		k.config.Algorithms = append(k.config.Algorithms, vault.Algorithm(name))
	}
	if secret := fields["secret"]; secret.given() {
		k.config.Secret = vault.NewSecret(secret.text())
	}
	pems := map[string]*[]byte{"private_key": &k.config.PrivateKeyPEM, "public_key": &k.config.PublicKeyPEM}
	for name, into := range pems {
		if fields[name].given() {
			*into = []byte(fields[name].text())
		}
	}
	files := map[string]*string{"private_key_file": &k.config.PrivateKeyFile, "public_key_file": &k.config.PublicKeyFile}
	for name, into := range files {
		if at := fields[name]; at.given() {
			*into = at.text()
			if !filepath.IsAbs(*into) {
				*into = filepath.Join(f.base, *into)
			}
		}
	}
	if generate := fields["generate"]; generate.given() && generate.boolean() && len(k.config.Algorithms) > 0 {
		if err := k.generate(string(k.config.Algorithms[0])); err != nil {
			generate.bad("%s", err)
			return k
		}
	}
	own, err := vault.NewKey(e.name, k.config)
	if err != nil {
		e.bad("%s", oneLine(err))
		return k
	}
	k.own = own
	return k
}

// generate makes a key that is fit for an algorithm.
func (k *keyPair) generate(algorithm string) error {
	var private crypto.Signer
	var err error
	switch {
	case strings.HasPrefix(algorithm, "HS"):
		k.config.Secret = vault.NewSecret(randomHex(64))
		return nil
	case strings.HasPrefix(algorithm, "ES256"):
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case strings.HasPrefix(algorithm, "ES384"):
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case strings.HasPrefix(algorithm, "ES512"):
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case algorithm == "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return err
	}
	k.config.PrivateKeyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	k.public = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	return nil
}

// given is what payhost has of the key.
func (k *keyPair) given() vault.KeyConfig {
	if k.signs && k.public != nil {
		return vault.KeyConfig{PublicKeyPEM: k.public, Algorithms: k.config.Algorithms}
	}
	return k.config
}

// connect says how payhost connects to a simulator.
func (f *file) connect(_ conformance.Simulator, baseURL, _ string) (host.ConnectionConfig, error) {
	settings, _ := f.connection.settings(nil, f.env(&request{address: baseURL}))
	c := host.ConnectionConfig{
		BaseURL: baseURL + f.connection.path, Settings: json.RawMessage(settings),
		Secrets: maps.Clone(f.connection.secrets), Keys: map[string]vault.KeyConfig{},
	}
	for name, k := range f.keys {
		c.Keys[name] = k.given()
	}
	return c, nil
}

// oneLine joins the lines of an error that joins several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
