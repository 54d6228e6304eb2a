package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const replayedHeader = "Idempotency-Replayed"

// route is one operation of the API: what must hold before its handler runs, and
// what the document says of it.
type route struct {
	id, method, path string
	tag              string
	summary, about   string
	scope            Scope // "" needs no token
	status           int   // of success; 200 if 0
	keyed            bool  // needs an Idempotency-Key
	doubt            bool  // may answer 202
	writes           bool  // goes on when the client hangs up
	page             bool  // opened by browsers, too
	fails            []int // statuses beside those that follow from the rest

	takes    []string // media types of the body; nil for no body
	most     int64    // bytes of the body
	optional bool     // the body may be left out
	schema   *huma.Schema
	example  any // of the body
}

const routeKey = "route"

// adapter registers huma's operations with the guards of their routes around them.
type adapter struct{ api *API }

// Handle implements huma.Adapter.
func (ad *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	rt := op.Metadata[routeKey].(*route)
	ad.api.handle(rt, func(x *exchange, r *http.Request) {
		if p := checkQuery(r.URL.RawQuery); p != nil {
			x.problem(p)
			return
		}
		handler(humago.NewContext(op, r, x))
	})
}

// ServeHTTP implements huma.Adapter.
func (ad *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { ad.api.ServeHTTP(w, r) }

func (a *API) handle(rt *route, serve func(*exchange, *http.Request)) {
	a.mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.route = rt
		if p := a.admit(x, r); p != nil {
			x.problem(p)
			return
		}
		serve(x, r)
	})
}

// found is the answer of a read.
type found[T any] struct {
	Body T
}

// done is the answer of an operation.
type done[T any] struct {
	Status   int
	Replayed string `header:"Idempotency-Replayed" doc:"true if the key had been used for the same request: nothing was sent now"`
	Location string `header:"Location" doc:"Path of what was made"`
	Body     T
}

// read registers an operation without a body.
func read[I, O any](a *API, rt route, serve func(ctx context.Context, x *exchange, in *I) (*O, error)) {
	register(a, &rt, func(ctx context.Context, in *I) (*O, error) {
		return serve(ctx, exchangeOf(ctx), in)
	})
}

// write registers an operation with a body of type B. Its errors are problems.
func write[I, B, O any](a *API, rt route, serve func(ctx context.Context, x *exchange, in *I, body *B) (*O, error)) {
	rt.takes, rt.most, rt.writes = []string{jsonType}, a.config.Limits.Body, true
	registry := a.huma.OpenAPI().Components.Schemas
	rt.schema = registry.Schema(reflect.TypeFor[B](), true, "")
	register(a, &rt, func(ctx context.Context, in *I) (*O, error) {
		x := exchangeOf(ctx)
		var body B
		if p := decode(registry, rt.schema, x.body, &body); p != nil {
			return nil, p
		}
		return serve(detached(ctx), x, in, &body)
	})
}

func register[I, O any](a *API, rt *route, serve func(ctx context.Context, in *I) (*O, error)) {
	op := a.operation(rt)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := serve(ctx, in)
		if err == nil {
			return out, nil
		}
		var p *Problem
		if errors.As(err, &p) {
			return nil, p
		}
		a.report(exchangeOf(ctx), err)
		p = problemOf(err, rt.writes)
		var f failed
		if errors.As(err, &f) {
			p.about(f.answer)
		}
		return nil, p
	})
	if rt.takes != nil { // only now: huma would read the body, which was read when the request was admitted
		a.huma.OpenAPI().Paths[rt.path].Post.RequestBody = rt.requestBody()
	}
	if rt.doubt {
		op.Responses["202"] = inDoubtResponse(op.Responses[strconv.Itoa(op.DefaultStatus)])
	}
}

// plain registers an operation that huma does not serve.
func (a *API) plain(rt route, serve func(*exchange, *http.Request)) {
	op := a.operation(&rt)
	a.huma.OpenAPI().AddOperation(&op)
	a.handle(&rt, serve)
}
