// Package httpapi serves the durable engine over HTTP: JSON for merchants, the
// inbound notifications of providers, the in-doubt desk and the plugins'
// revisions for operators, and an OpenAPI 3.1 document of it all.
//
//	api, err := httpapi.New(httpapi.Config{
//		Engine: engine, Plugins: plugins,
//		Tokens: []httpapi.Token{{Name: "shop", Token: secret, Scopes: []httpapi.Scope{httpapi.ScopePayments}}},
//	})
//	err = http.ListenAndServe("127.0.0.1:8080", api)
//
// # What it promises
//
// A body is checked against the schema that the OpenAPI document shows: every
// name exactly, none twice, none unknown, an amount in whole minor units. What is
// refused so never reaches the engine. An operation that is in doubt is answered
// with 202 and the payment, never with an error that invites a blind repeat. A
// client that hangs up cancels nothing: the operation goes on to its end, and the
// same key tells how it went. Every error is an application/problem+json with
// class, effect and advice; see [Problem].
//
// # The server around it
//
// The handler reads bodies with a deadline of its own and takes it away before the
// engine works. An [net/http.Server] around it should have ReadHeaderTimeout and
// IdleTimeout, but no ReadTimeout: that one cancels a request that is still being
// answered.
package httpapi
