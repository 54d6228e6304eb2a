package demo

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
)

// Scene is a provider's simulator, and the connection to it.
type Scene struct {
	Provider   string
	Connection string
	Control    string // URL of the simulator's control API and page

	config config.Connection
	stop   func()
}

func openScene(provider, scratch string) (*Scene, error) {
	switch provider {
	case "rahmet":
		return openRahmet()
	case "yeniltoleg":
		return openYenilToleg()
	case "smartpay":
		return openSmartPay(filepath.Join(scratch, "till"))
	}
	return nil, fmt.Errorf("no simulator %q", provider)
}

func openRahmet() (*Scene, error) {
	sim := rahmet.New(rahmet.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		return nil, err
	}
	return &Scene{
		Provider: "rahmet", Connection: "rahmet-main", Control: url,
		stop: func() { _ = sim.Close(); stop() },
		config: config.Connection{
			Plugin: "rahmet", BaseURL: url,
			Settings: map[string]any{"branch_token": rahmet.BranchToken, "image_size": 300},
			Secrets:  map[string]string{"client_id": rahmet.ClientID, "client_secret": rahmet.ClientSecret},
			Egress:   config.Egress{AllowPrivate: true, AllowHTTP: true}, // simulators live on loopback
		},
	}, nil
}

func openYenilToleg() (*Scene, error) {
	sim := yeniltoleg.New(yeniltoleg.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		return nil, err
	}
	return &Scene{
		Provider: "yeniltoleg", Connection: "yeniltoleg-main", Control: url,
		stop: func() { _ = sim.Close(); stop() },
		config: config.Connection{
			Plugin: "yeniltoleg", BaseURL: url,
			Secrets: map[string]string{"access_token": yeniltoleg.AccessToken},
			Egress:  config.Egress{AllowPrivate: true, AllowHTTP: true},
		},
	}, nil
}

func openSmartPay(dir string) (*Scene, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sim, err := smartpay.New(smartpay.Options{})
	if err != nil {
		return nil, err
	}
	files, err := sim.WriteFiles(dir)
	if err != nil {
		_ = sim.Close()
		return nil, err
	}
	return &Scene{
		Provider: "smartpay", Connection: "smartpay-till-1", Control: sim.ControlURL(),
		stop: func() { _ = sim.Close() },
		config: config.Connection{
			Plugin: "smartpay", BaseURL: sim.URL(), Settings: map[string]any{"till_id": smartpay.DefaultTill},
			TLS: config.TLS{CertFile: files.ClientCert, KeyFile: files.ClientKey, CAFile: files.CA},
			Keys: map[string]config.Key{
				"qr_decrypt": {PrivateKeyFile: files.QRKey, Alg: "RSA-OAEP-256"},
				"qr_sign":    {PublicKeyFile: files.AppPublic, Alg: "RS256"},
			},
			Egress: config.Egress{AllowPrivate: true},
		},
	}, nil
}
