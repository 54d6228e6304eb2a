package vault_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/vault"
)

// private and public configure a key from memory; RS256 is allowed if nothing is named.
func private(data []byte, algorithms ...vault.Algorithm) vault.KeyConfig {
	return vault.KeyConfig{PrivateKeyPEM: data, Algorithms: orRS256(algorithms)}
}

func public(data []byte, algorithms ...vault.Algorithm) vault.KeyConfig {
	return vault.KeyConfig{PublicKeyPEM: data, Algorithms: orRS256(algorithms)}
}

func orRS256(algorithms []vault.Algorithm) []vault.Algorithm {
	if algorithms == nil {
		return []vault.Algorithm{vault.RS256}
	}
	return algorithms
}

func TestKeyFormats(t *testing.T) {
	t.Parallel()
	sec1 := encode("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256Key())))
	parameters := encode("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7})
	pkcs1 := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()))
	pkcs1Public := encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey))
	cert := selfSigned(rsaKey(), leaf{})
	pair := private(pkcs1)
	pair.PublicKeyPEM = pkcs1Public
	tests := map[string]vault.KeyConfig{
		"PKCS #8":                     private(pkcs8(rsaKey())),
		"PKCS #1":                     private(pkcs1),
		"SEC 1 as OpenSSL writes it":  private(append(parameters, sec1...), vault.ES256),
		"text around it":              private([]byte("key of till 1\n" + string(pkcs1) + "\nend")),
		"certificate in the file too": private(append(bytes.Clone(cert), pkcs1...)),
		"PKIX":                        public(pkix509(rsaKey().Public())),
		"PKCS #1 public":              public(pkcs1Public),
		"certificate":                 public(cert),
		"pair":                        pair,
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newKey(t, config)
		})
	}
}

// refusal is a configuration that must be refused, with the field and a part of the problem.
type refusal struct {
	config      vault.KeyConfig
	field, want string
}

func contentRefusals() map[string]refusal {
	good := pkcs8(rsaKey())
	exchange := pkcs8(must(ecdh.X25519().GenerateKey(rand.Reader)))
	return map[string]refusal{
		"weak":              {private(pkcs8(weakRSAKey())), "private_key", "1024 bits"},
		"weak public":       {public(pkix509(weakRSAKey().Public())), "public_key", "1024 bits"},
		"not PEM":           {private([]byte(hushed)), "private_key", "holds no PEM block"},
		"cut":               {private(good[:500]), "private_key", "broken or cut short"},
		"garbage inside":    {private(encode("PRIVATE KEY", []byte(hushed))), "private_key", "does not parse"},
		"password":          {private(encode("ENCRYPTED PRIVATE KEY", nil)), "private_key", "by a password"},
		"foreign format":    {private(encode("OPENSSH PRIVATE KEY", nil)), "private_key", "not supported"},
		"unsupported curve": {private(pkcs8(makeECDSA(elliptic.P224()))), "private_key", "not supported"},
		"key exchange":      {private(exchange), "private_key", "not supported"},
		"two keys":          {private(append(bytes.Clone(good), good...)), "private_key", "more than one"},
		"public only":       {private(pkix509(rsaKey().Public())), "private_key", `only "PUBLIC KEY"`},
		"private as public": {public(good), "public_key", "holds no public key"},
		"unfit":             {private(good, vault.ES256), "alg", "ES256 does not fit an RSA key"},
		"unfit curve":       {private(pkcs8(p384Key()), vault.ES256), "alg", "ECDSA key on P-384"},
		"RSA by Ed25519":    {private(pkcs8(edKey())), "alg", "RS256 does not fit an Ed25519 key"},
		"HMAC by RSA":       {public(pkix509(rsaKey().Public()), vault.HS256), "alg", "HS256 does not fit"},
	}
}

func settingRefusals(t *testing.T, dir string) map[string]refusal {
	good, rs256 := pkcs8(rsaKey()), orRS256(nil)
	twoSources, secretToo, mixed := private(good), private(good), private(good)
	twoSources.PrivateKeyFile = "a.pem"
	secretToo.Secret = vault.NewSecret(hushed)
	mixed.PublicKeyPEM = pkix509(otherRSAKey().Public())
	huge := write(t, dir, "huge.pem", make([]byte, 1<<20+1))
	gone := filepath.Join(dir, "gone.pem")
	return map[string]refusal{
		"nothing":      {vault.KeyConfig{Algorithms: rs256}, "private_key_file", "no key is given"},
		"no algorithm": {vault.KeyConfig{PrivateKeyPEM: good}, "alg", "no algorithm is allowed"},
		"unknown":      {private(good, "none"), "alg", "unknown algorithm: known are RSA-OAEP-256, "},
		"mixed up":     {private(good, hushed), "alg", "unknown algorithm: known are "},
		"RSA by secret": {
			vault.KeyConfig{Secret: vault.NewSecret(hushed), Algorithms: rs256},
			"alg", "a shared secret",
		},
		"two sources":     {twoSources, "private_key_file", "choose one"},
		"secret and pair": {secretToo, "secret", "choose one"},
		"not a pair":      {mixed, "public_key", "not of one pair"},
		"missing file": {
			vault.KeyConfig{PrivateKeyFile: gone, Algorithms: rs256},
			"private_key_file", "gone.pem: no such file",
		},
		"folder": {
			vault.KeyConfig{PublicKeyFile: dir, Algorithms: rs256},
			"public_key_file", "not a regular file",
		},
		"huge file": {
			vault.KeyConfig{PublicKeyFile: huge, Algorithms: rs256},
			"public_key_file", "larger than",
		},
	}
}

func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := settingRefusals(t, dir)
	maps.Copy(tests, contentRefusals())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := vault.NewKey("k", test.config)
			var field *vault.FieldError
			if !errors.As(err, &field) {
				t.Fatalf("NewKey = %v, want a *FieldError", err)
			}
			if field.Field != "keys.k."+test.field || !strings.Contains(field.Problem, test.want) {
				t.Errorf("NewKey = %v, want field keys.k.%s and %q", err, test.field, test.want)
			}
			if strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), hushed) {
				t.Errorf("the error tells a folder or a secret: %v", err)
			}
		})
	}
}

func TestKeyProblemsAreToldTogether(t *testing.T) {
	t.Parallel()
	_, err := vault.NewKey("k", vault.KeyConfig{
		PrivateKeyPEM: []byte("x"),
		PublicKeyFile: filepath.Join(t.TempDir(), "gone.pub"),
		Algorithms:    []vault.Algorithm{vault.RS256},
	})
	var fields []string
	for _, problem := range vault.FieldErrors(err) {
		fields = append(fields, problem.Field)
	}
	if diff := cmp.Diff([]string{"keys.k.private_key", "keys.k.public_key_file"}, fields); diff != "" {
		t.Error(diff)
	}
}
