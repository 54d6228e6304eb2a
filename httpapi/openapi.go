package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	schemaPrefix = "#/components/schemas/"
	aboutAPI     = `Takes payments through any provider.

Every call needs ` + "`Authorization: Bearer <token>`" + `, but for those of providers, health, readiness and metrics.
A token has scopes: ` + "`payments`, `admin`" + ` or both; neither contains the other.

Every POST that moves money or registers a receipt needs an ` + "`Idempotency-Key`" + `. The same key with the same body
answers what the first one came to and sends nothing; with another body it is refused (` + "`key_reused`" + `).

202 means in doubt: the operation may or may not have happened. Do not begin another one. payhost goes on asking the
provider; follow the payment, the events or the in-doubt list.

Amounts are whole minor units. Times are RFC 3339 in UTC. Answers may get more fields; requests refuse those they do not know.
Every answer has an ` + "`X-Request-Id`" + `: yours, if you send one of 1 to 128 letters, digits, dots, dashes and underscores.`
)

// operationFails are the failures of an operation at a provider.
func operationFails() []int { return []int{402, 404, 409, 422, 502} }

func humaConfig(version string) huma.Config {
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "payhost", Version: version, Description: aboutAPI,
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: "/", Description: "where this document came from"}},
			Tags: []*huma.Tag{
				{Name: tagPayments},
				{Name: tagRefunds},
				{Name: tagReceipts},
				{Name: tagDesk},
				{Name: tagEvents},
				{Name: tagPlugins},
				{Name: tagInbound},
				{Name: tagHealth},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry(schemaPrefix, nameSchema),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "A token of the configuration, by its scopes"},
				},
			},
		},
		Formats:                      map[string]huma.Format{jsonType: jsonFormat(), "json": jsonFormat()},
		DefaultFormat:                jsonType,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{mend},
	}
	return c
}

// jsonFormat writes answers. That the client is gone is no error: huma would panic.
func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			text, err := encode(v)
			if err == nil {
				_, _ = w.Write(text)
			}
			return err
		},
		Unmarshal: json.Unmarshal,
	}
}

// encode writes JSON for people's eyes, too: links keep their ampersands.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return text.Bytes(), err
}

// nameSchema names a schema after its type.
func nameSchema(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
}

// schemaOf returns a reference to the schema of a type.
func schemaOf[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// operation makes huma's description of a route.
func (a *API) operation(rt *route) huma.Operation {
	if rt.status == 0 {
		rt.status = http.StatusOK
	}
	op := huma.Operation{
		OperationID: rt.id, Method: rt.method, Path: rt.path, DefaultStatus: rt.status, Summary: rt.summary,
		Description: rt.about, Tags: []string{rt.tag}, Metadata: map[string]any{routeKey: rt},
		Responses: map[string]*huma.Response{},
	}
	if rt.scope != "" {
		scopes := []string{string(rt.scope)}
		if rt.scope == anyScope {
			scopes = []string{}
		}
		op.Security = []map[string][]string{{"bearer": scopes}}
	}
	if rt.keyed {
		op.Parameters = append(op.Parameters, keyParameter())
	}
	for _, status := range rt.statuses() {
		op.Responses[strconv.Itoa(status)] = a.problemResponse(status)
	}
	if strings.Contains(rt.path, "{nonce}") || rt.tag == tagHealth {
		op.Responses["200"] = a.plainResponse(rt)
		for _, name := range []string{"connection", "nonce"} {
			if strings.Contains(rt.path, "{"+name+"}") {
				op.Parameters = append(op.Parameters, &huma.Param{
					Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
				})
			}
		}
	}
	return op
}

// statuses lists the failures of a route.
func (rt *route) statuses() []int {
	list := append([]int{500, 503}, rt.fails...)
	if rt.scope != "" {
		list = append(list, 401, 403, 429)
	}
	if rt.keyed {
		list = append(list, 400, 409, 422)
	}
	if rt.takes != nil {
		list = append(list, 400, 408, 413, 415, 422)
	}
	if rt.tag != tagHealth && rt.tag != tagInbound {
		list = append(list, 422) // query parameters that are unknown or stand twice
	}
	return list
}

func keyParameter() *huma.Param {
	least, most := 1, 255
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Required: true, Example: "order-100500-pay",
		Description: "Yours; unique for what you want done, the same for every repeat of it. Kept for 400 days or more. Printable ASCII.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most},
	}
}

func (rt *route) requestBody() *huma.RequestBody {
	body := &huma.RequestBody{Required: !rt.optional, Content: map[string]*huma.MediaType{}}
	for _, media := range rt.takes {
		schema := rt.schema
		if schema == nil {
			schema = &huma.Schema{Type: huma.TypeString, Format: "binary"}
		}
		body.Content[media] = &huma.MediaType{Schema: schema, Example: rt.example}
	}
	return body
}

func (a *API) problemResponse(status int) *huma.Response {
	return &huma.Response{
		Description: describeStatus(status),
		Content:     map[string]*huma.MediaType{problemType: {Schema: schemaOf[Problem](a.huma.OpenAPI().Components.Schemas)}},
	}
}

func describeStatus(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "Body is not JSON or missing, or the Idempotency-Key is"
	case http.StatusPaymentRequired:
		return "Declined: see reason and provider_code"
	case http.StatusForbidden:
		return "The token has not the scope"
	case http.StatusConflict:
		return "state_conflict, in_doubt, in_progress or duplicate"
	case http.StatusUnprocessableEntity:
		return "A field is wrong; or unsupported, key_reused, code_invalid, code_expired"
	case http.StatusTooManyRequests:
		return "Too many calls: see Retry-After"
	case http.StatusBadGateway:
		return "A fault of the provider, the plugin or the connection's settings; the effect is known, see effect"
	case http.StatusServiceUnavailable:
		return "A fault of payhost, or of its store"
	}
	return http.StatusText(status)
}

// plainResponse describes what huma does not serve.
func (a *API) plainResponse(rt *route) *huma.Response {
	media := jsonType
	switch rt.id {
	case "metrics":
		media = "text/plain"
	case "docs":
		media = "text/html"
	case "openapi":
		media = "application/openapi+json"
	case "notify-get", "notify-post":
		return &huma.Response{Description: "Whatever the provider expects, as its plugin says"}
	}
	return &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{media: {}}}
}

// inDoubtResponse is the answer of an operation that may or may not have happened.
func inDoubtResponse(success *huma.Response) *huma.Response {
	r := *success
	r.Description = "In doubt: it may or may not have happened. Do not begin another one; see in_doubt and follow it"
	return &r
}
