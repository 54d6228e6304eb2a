package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/sdk/pay"
)

// API is the handler of everything that payhost serves over HTTP. It is safe for
// concurrent use.
type API struct {
	config    Config
	log       hclog.Logger
	mux       *http.ServeMux
	huma      huma.API
	keys      atomic.Pointer[keyring]
	inbound   *buckets
	described func() description // made once
}

// New returns the handler. It starts nothing and needs no Close.
func New(c Config) (*API, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	a := &API{
		config: c, log: c.Logger.Named("http"), mux: http.NewServeMux(), inbound: newBuckets(c.Limits.NotificationRate),
	}
	if err := a.SetTokens(c.Tokens); err != nil {
		return nil, err
	}
	a.huma = huma.NewAPI(humaConfig(c.Version), &adapter{api: a})
	a.servePayments()
	a.serveRefunds()
	a.serveReceipts()
	a.serveDesk()
	a.serveEvents()
	a.servePlugins()
	a.serveNotifications()
	a.serveHealth()
	a.mux.HandleFunc("/", a.unknown)
	mendSchemas(a.huma.OpenAPI())
	a.described = sync.OnceValue(func() description { return describe(a.huma.OpenAPI()) })
	return a, nil
}

// Document returns the OpenAPI 3.1 document, as GET /openapi.json serves it.
func (a *API) Document() []byte { return a.described().document }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, id: requestID(r), began: time.Now()}
	header := w.Header()
	header.Set("X-Request-Id", x.id)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	defer a.finish(x, r)
	if p := r.URL.Path; p == "" || path.Clean(p) != p { // the mux would redirect, and a POST become a GET
		x.problem(notFound("no such path"))
		return
	}
	a.mux.ServeHTTP(x, r.WithContext(withExchange{r.Context(), x}))
}

// finish answers for a handler that panicked, and tells of the request.
func (a *API) finish(x *exchange, r *http.Request) {
	if cause := recover(); cause != nil {
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(cause)
		}
		a.log.Error("panic", "request_id", x.id, "route", x.pattern(), "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if x.status != 0 { // half an answer must not look whole
			panic(http.ErrAbortHandler)
		}
		p := problemOf(&pay.Error{Class: pay.ClassHostFault, Message: "internal error"}, x.route != nil && x.route.writes)
		p.Status = http.StatusInternalServerError
		x.problem(p)
	}
	took := time.Since(x.began)
	level := hclog.Info
	switch x.pattern() {
	case "/healthz", "/readyz", "/metrics": // asked every few seconds, by nobody who minds
		level = hclog.Debug
	}
	if a.log.GetLevel() <= level {
		a.log.Log(level, "request", "method", r.Method, "route", x.pattern(), "status", x.status, "took", took.String(),
			"caller", x.caller, "request_id", x.id)
	}
	a.config.Observe(x.pattern(), r.Method, x.status, took)
}

func (x *exchange) pattern() string {
	if x.route == nil {
		return "unknown"
	}
	return x.route.path
}

// unknown answers what no route takes.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange)
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		x.problem(notFound("no such path"))
		return
	}
	p := refuse(http.StatusMethodNotAllowed, pay.ClassInvalidRequest.String(), "method is not one of "+strings.Join(allowed, ", "))
	p.header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
	x.problem(p)
}

// requestID takes the client's id if it is harmless, else makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) < 1 || len(id) > 128 {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return rand.Text()
		}
	}
	return id
}

// detached is a request's context that outlives the client: an operation that has
// begun is brought to its end.
func detached(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
