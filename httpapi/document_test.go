package httpapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestDocumentIsOpenAPI holds the document against the schema of OpenAPI 3.1 (in
// testdata, of the OpenAPI Initiative), and every schema in it against JSON Schema.
func TestDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	api := serve(t, newFake(), nil)
	file, err := os.Open("testdata/openapi-3.1-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	schema, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	const id = "https://spec.openapis.org/oas/3.1/schema/2022-10-07"
	if err := c.AddResource(id, schema); err != nil {
		t.Fatal(err)
	}
	of31, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	document := parse(t, bytes.NewReader(api.Document()))
	if err := of31.Validate(document); err != nil {
		t.Errorf("%#v", err)
	}
	if w := send(api, request("GET", "/openapi.json", "")); !bytes.Equal(w.Body.Bytes(), api.Document()) {
		t.Error("another document is served")
	}
	schemas := document.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	if len(schemas) < 30 {
		t.Errorf("only %d schemas", len(schemas))
	}
	for name := range schemas {
		if strings.Contains(name, "Huma") || strings.HasSuffix(name, "View") || strings.HasPrefix(name, "Error") && name != "Error" {
			t.Errorf("schema %s", name)
		}
	}
	d := describedBy(t, api.Document())
	for name := range schemas {
		d.schema("/components/schemas/" + name)
	}
}

// described is a document, to hold what goes over the wire against.
type described struct {
	t        *testing.T
	compiler *jsonschema.Compiler
}

func describedBy(t *testing.T, document []byte) described {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("mem:///openapi.json", parse(t, bytes.NewReader(document))); err != nil {
		t.Fatal(err)
	}
	return described{t, c}
}

func (d described) schema(pointer string) *jsonschema.Schema {
	d.t.Helper()
	s, err := d.compiler.Compile("mem:///openapi.json#" + pointer)
	if err != nil {
		d.t.Fatalf("%s: %v", pointer, err)
	}
	return s
}

func (d described) media(e endpoint, rest, media string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	return "/paths/" + escape.Replace(e.path) + "/" + strings.ToLower(e.method) + "/" + rest + "/content/" + escape.Replace(media) + "/schema"
}

func parse(t *testing.T, r io.Reader) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(r)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestAnswersAreAsDescribed holds every answer, and every example of a body,
// against the document.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	d := describedBy(t, api.Document())
	check := func(e endpoint, w *httptest.ResponseRecorder, rest, media string) {
		t.Helper()
		if err := d.schema(d.media(e, rest, media)).Validate(parse(t, bytes.NewReader(w.Body.Bytes()))); err != nil {
			t.Errorf("%s %s: %v\n%s", e.method, e.path, err, w.Body.String())
		}
	}
	for _, e := range endpoints() {
		if !strings.HasPrefix(e.path, "/v1/") {
			continue
		}
		status := "responses/" + map[int]string{200: "200", 201: "201", 204: "204"}[e.status]
		waiting := func() { f.book = paid(); f.book.Next = &ledger.Next{Type: pay.NextRedirect, URL: "https://p"} }
		for _, b := range []func(){func() { f.book = paid() }, func() { f.book = till() }, waiting} {
			b()
			if w := send(api, e.request()); w.Code == e.status && e.status != 204 {
				check(e, w, status, "application/json")
			}
		}
		f.book = paid()
		if e.keyed {
			f.inDoubt = true
			check(e, send(api, e.request()), "responses/202", "application/json")
			f.inDoubt = false
		}
		check(e, send(api, e.request("Authorization:")), "responses/401", "application/problem+json")
		f.err = &pay.Error{Class: pay.ClassHostFault, Field: "f", RetryAfter: 1e9, Reason: pay.DeclinedRisk, ProviderCode: "1"}
		if w := send(api, e.request()); w.Code == 503 {
			check(e, w, "responses/503", "application/problem+json")
		}
		f.err = nil
		if e.body != "" && e.body != moduleBody {
			examples(t, api, d, e)
		}
	}
}

func examples(t *testing.T, api interface{ Document() []byte }, d described, e endpoint) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Example json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(api.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	example := doc.Paths[e.path][strings.ToLower(e.method)].RequestBody.Content["application/json"].Example
	if example == nil {
		t.Errorf("%s %s: no example", e.method, e.path)
		return
	}
	schema := d.schema(d.media(e, "requestBody", "application/json"))
	for _, body := range []string{string(example), e.body} {
		if err := schema.Validate(parse(t, strings.NewReader(body))); err != nil {
			t.Errorf("%s %s: %s: %v", e.method, e.path, body, err)
		}
	}
	if err := schema.Validate(parse(t, strings.NewReader(`{"unknown":1}`))); err == nil {
		t.Errorf("%s %s: the document allows unknown fields", e.method, e.path)
	}
}

// TestPage wants a page that needs nothing but itself.
func TestPage(t *testing.T) {
	t.Parallel()
	w := send(serve(t, newFake(), nil), request("GET", "/docs", ""))
	text := w.Body.String()
	if w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("content type %q", w.Header().Get("Content-Type"))
	}
	for _, bad := range []string{"<script", "http://", "https://unpkg", "<img", "<link", "ZgotmplZ", "<no value>"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(text)
	sum := sha256.Sum256([]byte(style[1]))
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("policy %q does not let the style in", policy)
	}
	for _, e := range endpoints() {
		if !strings.Contains(text, "</span> "+e.path+"</h3>") {
			t.Errorf("%s is not on the page", e.path)
		}
	}
	for _, want := range []string{"Idempotency-Key", "NewPayment", "in_doubt", `&#34;order_id&#34;: &#34;100500&#34;`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
