package httpapi

import (
	"errors"
	"net/http"

	"github.com/payhost/payhost/sdk/pay"
)

const tagHealth = "Health and documents"

func (a *API) serveHealth() {
	a.plain(route{
		id: "healthz", method: http.MethodGet, path: "/healthz", tag: tagHealth, summary: "Is the process there",
		about: "200 as long as it answers at all.",
	}, func(x *exchange, _ *http.Request) { x.json(map[string]string{"status": "ok"}) })
	a.plain(route{
		id: "readyz", method: http.MethodGet, path: "/readyz", tag: tagHealth, fails: []int{503}, summary: "Can it work",
		about: "503 with the reason if not, when it starts or stops or the store does not answer.",
	}, a.ready)
	a.plain(route{
		id: "metrics", method: http.MethodGet, path: "/metrics", tag: tagHealth, fails: []int{404}, summary: "Metrics",
		about: "In the text format of Prometheus.",
	}, func(x *exchange, r *http.Request) {
		if a.config.Metrics == nil {
			x.problem(notFound("no metrics are configured"))
			return
		}
		a.config.Metrics.ServeHTTP(x, r)
	})
	a.plain(route{
		id: "openapi", method: http.MethodGet, path: "/openapi.json", tag: tagHealth, scope: anyScope, page: true,
		summary: "This document",
	}, func(x *exchange, _ *http.Request) {
		x.Header().Set("Content-Type", "application/openapi+json")
		_, _ = x.Write(a.described().document)
	})
	a.plain(route{
		id: "docs", method: http.MethodGet, path: "/docs", tag: tagHealth, scope: anyScope, page: true,
		summary: "This document for people", about: "A browser asks for a password: that is the token; the name does not matter.",
	}, func(x *exchange, _ *http.Request) {
		x.Header().Set("Content-Type", "text/html; charset=utf-8")
		x.Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src '"+a.described().style+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		x.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = x.Write(a.described().page)
	})
}

func (a *API) ready(x *exchange, r *http.Request) {
	err := a.config.Ready(r.Context())
	if err == nil {
		x.json(map[string]string{"status": "ready"})
		return
	}
	p := problemOf(&pay.Error{Class: pay.ClassHostFault, Message: err.Error()}, false)
	if e := (*pay.Error)(nil); errors.As(err, &e) {
		p = problemOf(e, false)
	}
	p.Status = http.StatusServiceUnavailable
	x.problem(p)
}
