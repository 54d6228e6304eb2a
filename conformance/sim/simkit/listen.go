package simkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Start serves h over plain HTTP until stop is called. An address without a host means loopback, port 0 any
// free port. It returns the base URL and a stop that closes every connection, waits for the handlers to end
// and may be called twice. The error is that of net.Listen.
func Start(listenAddr string, h http.Handler) (url string, stop func(), err error) {
	host, port, err := net.SplitHostPort(listenAddr)
	if err != nil {
		return "", nil, fmt.Errorf("listen address: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	return "http://" + listener.Addr().String(), Serve(listener, h), nil
}

// Serve serves h on a listener, which may be a TLS one, until the returned stop is called; see [Start].
func Serve(listener net.Listener, h http.Handler) (stop func()) {
	door := &gate{handler: h}
	server := &http.Server{
		Handler:           door,
		ReadHeaderTimeout: 10 * time.Second,
		// A test that breaks connections on purpose would only fill the log.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close()
		}
	}()
	return func() {
		_ = server.Close()
		<-done
		door.shut()
	}
}

// gate lets requests in until it is shut, and shuts only when all of them are out: http.Server.Close does
// not wait.
type gate struct {
	mu      sync.RWMutex
	closed  bool
	handler http.Handler
}

// ServeHTTP passes the request on while the gate is open.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		Cut()
	}
	g.handler.ServeHTTP(w, r)
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
