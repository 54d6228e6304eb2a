package daemon

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/httpapi"
)

// mostHeader bounds the request line and headers, in bytes.
const mostHeader = 32 << 10

// newServer makes the HTTP server. It has no read timeout: the API reads bodies by a
// deadline of its own, and then an operation may take its time.
func (d *Daemon) newServer() *http.Server {
	return &http.Server{
		Handler:           d.api,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      2*time.Minute + d.grace,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    mostHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // what strangers send is no news
	}
}

// newAPI makes the handler of the API.
func (d *Daemon) newAPI() (*httpapi.API, error) {
	if len(d.config.Auth.Tokens) == 0 {
		d.log.Warn("auth.tokens is empty: the API lets nobody in")
	}
	return httpapi.New(httpapi.Config{
		Engine: d.engine, Plugins: d.plugins, Tokens: tokens(d.config), Logger: d.log, Metrics: d.metrics.handler(),
		Ready: d.ready, Observe: d.metrics.request, Version: host.Version,
		Limits: httpapi.Limits{Rate: float64(d.config.Limits.Requests)},
	})
}

func tokens(c *config.Config) []httpapi.Token {
	var list []httpapi.Token
	for _, t := range c.Auth.Tokens {
		token := httpapi.Token{Name: t.Name, Token: t.Token}
		for _, s := range t.Scopes {
			token.Scopes = append(token.Scopes, httpapi.Scope(s))
		}
		list = append(list, token)
	}
	return list
}

// errStopping is what keeps a daemon that stops from being ready.
var errStopping = errors.New("payhost is stopping")

func (d *Daemon) ready(ctx context.Context) error {
	if d.stopping.Load() {
		return errStopping
	}
	return d.engine.Ready(ctx)
}
