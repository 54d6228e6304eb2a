package smartpay

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// DefaultTill is the common name of the client certificate that WriteFiles makes.
const DefaultTill = "till-1"

// Options configure a [Server]. The zero value is complete: free loopback ports,
// the wall clock, and an authority and keys made for the occasion.
type Options struct {
	// Listen is the address of the provider's own API, over mutual TLS.
	Listen string
	// ControlListen is the address of the control API and the payer's page, over
	// plain HTTP without a password. It must be a loopback address.
	ControlListen string
	// Start, when not zero, is the time at which the clock stands still until it is
	// advanced.
	Start time.Time
	// Authority signs the server's certificate and verifies the clients'.
	Authority *certs.Authority
	// ServiceKey opens the encrypted part of a code.
	ServiceKey *certs.KeyPair
	// AppKey signs codes, as the payer's app does.
	AppKey *certs.KeyPair
}

// Server is a running simulator. It is safe for concurrent use.
type Server struct {
	options    Options
	kit        *simkit.Kit
	service    *service
	url        string
	controlURL string
	foreignKey func() (*certs.KeyPair, error)
	stops      []func()
	closeOnce  sync.Once
}

// New starts a simulator. It returns an error for an address it cannot listen on,
// and for a ControlListen that is not loopback. Close it when done.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, service: newService(o.ServiceKey.Private, &o.AppKey.Private.PublicKey)}
	s.foreignKey = sync.OnceValues(certs.NewKeyPair)
	s.kit = simkit.New(simkit.Config{
		App: s.service.routes(), Model: s.service, Settings: settings(), Start: o.Start,
	})
	s.service.kit = s.kit
	if err := s.listen(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// URL is the base URL of the provider's API: https://127.0.0.1:port.
func (s *Server) URL() string { return s.url }

// ControlURL is the base URL of the control API and of /payer:
// http://127.0.0.1:port.
func (s *Server) ControlURL() string { return s.controlURL }

// Kit gives the control API's calls in Go: faults, objects, outcomes, requests,
// effects, settings and the clock.
func (s *Server) Kit() *simkit.Kit { return s.kit }

// Authority signs client certificates that the simulator trusts.
func (s *Server) Authority() *certs.Authority { return s.options.Authority }

// ClientTLS returns the TLS settings of a till with a new client certificate of
// the given name, which trusts the simulator alone.
func (s *Server) ClientTLS(name string) (*tls.Config, error) {
	id, err := s.options.Authority.Client(name)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		RootCAs:      s.options.Authority.Pool(),
		Certificates: []tls.Certificate{id.TLS},
	}, nil
}

// Files are the paths that a payhost connection's configuration names.
type Files struct {
	ClientCert string // till.crt, the till's certificate
	ClientKey  string // till.key, its private key
	CA         string // ca.pem, the authority that the server's certificate is checked against
	QRKey      string // qr.pem, the private key that opens a code (RSA-OAEP-256)
	AppPublic  string // app.pub, the public key that verifies a code's signature (RS256)
}

// WriteFiles writes a new client certificate named [DefaultTill], the authority
// and the keys of the QR code into dir, which must exist, and returns their paths.
func (s *Server) WriteFiles(dir string) (Files, error) {
	f := Files{
		ClientCert: filepath.Join(dir, "till.crt"),
		ClientKey:  filepath.Join(dir, "till.key"),
		CA:         filepath.Join(dir, "ca.pem"),
		QRKey:      filepath.Join(dir, "qr.pem"),
		AppPublic:  filepath.Join(dir, "app.pub"),
	}
	id, err := s.options.Authority.Client(DefaultTill)
	if err != nil {
		return Files{}, err
	}
	for _, write := range []func() error{
		func() error { return id.WriteFiles(dir, "till") },
		func() error { return s.options.Authority.WriteFile(f.CA) },
		func() error { return s.options.ServiceKey.WritePrivate(f.QRKey) },
		func() error { return s.options.AppKey.WritePublic(f.AppPublic) },
	} {
		if err := write(); err != nil {
			return Files{}, err
		}
	}
	return f, nil
}

// Close stops both listeners, breaks their connections and waits for the handlers
// to end. It always returns nil and may be called twice.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		_ = s.kit.Close() // first: it wakes the slow answers that the listeners wait for
		for _, stop := range s.stops {
			stop()
		}
	})
	return nil
}

func (s *Server) listen() error {
	id, err := s.options.Authority.Server()
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", s.options.Listen, &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{id.TLS},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    s.options.Authority.Pool(),
	})
	if err != nil {
		return fmt.Errorf("smartpay: listen: %w", err)
	}
	s.url = "https://" + listener.Addr().String()
	s.stops = append(s.stops, simkit.Serve(listener, s.provider()))

	url, stop, err := simkit.Start(s.options.ControlListen, s.backdoor())
	if err != nil {
		return fmt.Errorf("smartpay: control: %w", err)
	}
	s.controlURL = url
	s.stops = append(s.stops, stop)
	return nil
}

// provider serves the provider's paths alone: the control API is not for tills.
func (s *Server) provider() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, simkit.ControlPrefix) {
			answerError(w, refuse(CodeNoSuchCall))
			return
		}
		s.kit.ServeHTTP(w, r)
	})
}

// backdoor serves what a test, a script and a payer's browser need.
func (s *Server) backdoor() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(simkit.ControlPrefix, s.kit)
	mux.HandleFunc("GET /payer", s.getPayer)
	mux.HandleFunc("GET /payer/code", s.getCode)
	mux.HandleFunc("POST /payer/purchases/{id}", s.postDecision)
	mux.Handle("GET /{$}", http.RedirectHandler("/payer", http.StatusSeeOther))
	return mux
}

func (o Options) withDefaults() (Options, error) {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.ControlListen = cmp.Or(o.ControlListen, "127.0.0.1:0")
	host, _, err := net.SplitHostPort(o.ControlListen)
	if err != nil {
		return o, fmt.Errorf("smartpay: option ControlListen: %w", err)
	}
	if ip := net.ParseIP(host); host != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return o, fmt.Errorf("smartpay: option ControlListen: %q is not a loopback address", host)
	}
	if o.Authority == nil {
		if o.Authority, err = certs.NewAuthority("SmartPay simulator"); err != nil {
			return o, err
		}
	}
	for _, key := range []**certs.KeyPair{&o.ServiceKey, &o.AppKey} {
		if *key == nil {
			if *key, err = certs.NewKeyPair(); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

// peerName is the common name of the verified client certificate.
func peerName(state *tls.ConnectionState) string {
	var leaf *x509.Certificate
	if state != nil && len(state.PeerCertificates) > 0 {
		leaf = state.PeerCertificates[0]
	}
	if leaf == nil {
		return ""
	}
	return leaf.Subject.CommonName
}
