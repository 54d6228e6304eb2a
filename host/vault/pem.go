package vault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// RSA keys outside this range are refused: shorter ones are weak, longer ones only serve to burn time.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// The errors of this file never carry text of the standard library's parsers: what they quote comes from the
// file.

// readBlocks returns the PEM blocks of data. Text around the blocks is allowed, as OpenSSL writes it.
func readBlocks(data []byte) ([]*pem.Block, error) {
	var blocks []*pem.Block
	rest := data
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		if bytes.Contains(data, []byte("-----BEGIN")) {
			return nil, errors.New("its PEM block is broken or cut short")
		}
		return nil, errors.New("holds no PEM block")
	}
	return blocks, nil
}

// parsePrivateKey reads the one private key that stands in data: PKCS #8, PKCS #1 or SEC 1.
func parsePrivateKey(data []byte) (crypto.Signer, error) {
	blocks, err := readBlocks(data)
	if err != nil {
		return nil, err
	}
	var found crypto.Signer
	for _, block := range blocks {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if found != nil {
			return nil, errors.New("holds more than one private key")
		}
		if found, err = parsePrivateBlock(block); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, fmt.Errorf("holds no private key, only %s", blockTypes(blocks))
	}
	return found, nil
}

func parsePrivateBlock(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the private key is encrypted by a password, which is not supported")
	}
	var (
		key    any
		err    error
		format string
	)
	switch block.Type {
	case "PRIVATE KEY":
		format = "PKCS #8"
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		format = "PKCS #1"
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		format = "SEC 1"
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("private keys in the format of a %q block are not supported", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s private key does not parse", format)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errUnsupportedKey
	}
	return signer, checkPublicKey(signer.Public())
}

// parsePublicKey reads the one public key that stands in data: PKIX, PKCS #1, or within a certificate, of
// which only the key is used (its dates and its chain are not looked at).
func parsePublicKey(data []byte) (crypto.PublicKey, error) {
	blocks, err := readBlocks(data)
	if err != nil {
		return nil, err
	}
	var found crypto.PublicKey
	for _, block := range blocks {
		var key any
		switch block.Type {
		case "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			key, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				key = cert.PublicKey
			}
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the %s block does not parse", block.Type)
		}
		if found != nil {
			return nil, errors.New("holds more than one public key")
		}
		found = key
	}
	if found == nil {
		return nil, fmt.Errorf("holds no public key, only %s", blockTypes(blocks))
	}
	return found, checkPublicKey(found)
}

// parseCertificates reads every certificate that stands in data, in its order.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	blocks, err := readBlocks(data)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d does not parse", len(certs)+1)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("holds no certificate, only %s", blockTypes(blocks))
	}
	return certs, nil
}

var errUnsupportedKey = errors.New(
	"the type of key is not supported: RSA, ECDSA on P-256, P-384, P-521, or Ed25519")

// checkPublicKey refuses keys that no algorithm here can use safely.
func checkPublicKey(key crypto.PublicKey) error {
	switch public := key.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("the RSA key has %d bits: %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
		return nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return errUnsupportedKey
}

// samePublicKey reports whether a and b are one key. Every public key of the standard library has Equal.
func samePublicKey(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}

// blockTypes lists what a file holds, for the error that it holds something else.
func blockTypes(blocks []*pem.Block) string {
	const most = 4
	var types []string
	for _, block := range blocks {
		if len(types) == most {
			types = append(types, "more")
			break
		}
		types = append(types, fmt.Sprintf("%q", shorten(block.Type)))
	}
	return strings.Join(types, ", ")
}

// shorten keeps a block's type readable: a PEM header may be of any length.
func shorten(text string) string {
	const most = 32
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
