package sdktest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// difference is a request, one of a transcript, and what the test is told.
type difference struct {
	request *sdk.Request
	want    string // of the request in the transcript
	report  string // "" if it fits
}

func posted(contentType, body string) *sdk.Request {
	r := &sdk.Request{Method: "POST", URL: "/pay", Body: []byte(body)}
	if contentType != "" {
		r.Header = []pay.Field{{Name: "Content-Type", Value: contentType}}
	}
	return r
}

const (
	jsonType = "application/json; charset=utf-8"
	formType = "application/x-www-form-urlencoded"
)

func headDifferences() map[string]difference {
	return map[string]difference{
		"same": {posted("", "a b"), "POST /pay money\n>\n> a b", ""},
		"method": {
			&sdk.Request{Method: "GET", URL: "/ask", Effect: sdk.Read}, "PUT /ask read",
			`method: want "PUT", got "GET"`,
		},
		"path": {posted("", ""), "POST /pay/x money", `path: want "/pay/x", got "/pay"`},
		"query": {
			&sdk.Request{Method: "GET", URL: "/ask?a=1", Effect: sdk.Read}, "GET /ask?a=2 read",
			`path: want "/ask?a=2"`,
		},
		"effect":        {posted("", ""), "POST /pay read", `effect: want "read", got "money"`},
		"text":          {posted("", "ab"), "POST /pay money\n>\n> abc", `body: want "abc", got "ab"`},
		"no body":       {posted("", ""), "POST /pay money\n>\n> abc", `body: want "abc", got nothing`},
		"unwanted body": {posted(jsonType, "{}"), "POST /pay money", `body: want nothing, got "{}"`},
		"header": {
			posted(formType, ""), "POST /pay money\n> content-type: text/plain",
			`content-type: want "text/plain"`,
		},
		"no header": {posted("", ""), "POST /pay money\n> x-key: 1", `x-key: want "1", got nothing`},
		"header any": {
			posted(formType, ""), "POST /pay money\n> Content-Type: application/{{any}}encoded", "",
		},
		"no auth": {
			posted("", ""), "POST /pay money\n> auth: bearer token", `auth: want "bearer token", got "none"`,
		},
		"timeout": {
			&sdk.Request{Method: "POST", URL: "/pay", Timeout: 2e9}, "POST /pay money\n> timeout: 5s",
			`timeout: want "5s", got "2s"`,
		},
	}
}

func bodyDifferences() map[string]difference {
	return map[string]difference{
		"number text": {
			posted(jsonType, `{"a":35.450}`), "POST /pay money\n>\n> {\"a\":35.45}",
			`body.a: want 35.45, got 35.450`,
		},
		"number kind": {
			posted(jsonType, `{"a":"1"}`), "POST /pay money\n>\n> {\"a\":1}", `body.a: want 1, got "1"`,
		},
		"order of names": {
			posted(jsonType, `{"b":[1,{"c":null}],"a":true}`),
			"POST /pay money\n>\n> {\"a\":true,\n>  \"b\":[1,{\"c\":null}]}", "",
		},
		"missing name": {
			posted(jsonType, `{}`), "POST /pay money\n>\n> {\"a\":1}", `body.a: want 1, is missing`,
		},
		"extra name": {
			posted(jsonType, `{"x":{"a":1}}`), "POST /pay money\n>\n> {\"x\":{}}",
			`body.x.a: is not expected, got 1`,
		},
		"elements": {
			posted(jsonType, `[1,2]`), "POST /pay money\n>\n> [1,3,4]", `body[1]: want 3, got 2`,
		},
		"other kind": {posted(jsonType, `[]`), "POST /pay money\n>\n> {}", `body: want {}, got []`},
		"any value": {
			posted(jsonType, `{"a":{"b":1},"c":"k-1"}`),
			"POST /pay money\n>\n> {\"a\":\"{{any}}\",\"c\":\"k-{{any}}\"}", "",
		},
		"any is not ''": {
			posted(jsonType, `{"c":"k-"}`), "POST /pay money\n>\n> {\"c\":\"k-{{any}}\"}",
			`body.c: want "k-{{any}}"`,
		},
		"twice": {
			posted(jsonType, `{"a":1,"a":1}`), "POST /pay money\n>\n> {\"a\":1}", `"a" stands twice`,
		},
		"not JSON": {
			posted(jsonType, `{"a":}`), "POST /pay money\n>\n> {\"a\":1}", `body: the JSON does not parse`,
		},
		"JSON and more": {
			posted(jsonType, `{"a":1}]`), "POST /pay money\n>\n> {\"a\":1}",
			`body: the JSON does not parse`,
		},
		"form order": {posted(formType, "b=2+x&a=1"), "POST /pay money\n>\n> a=1\n> &b=2%20x", ""},
		"form value": {
			posted(formType, "a=1&a=3"), "POST /pay money\n>\n> a=1&a=2", `form field a: want "2", got "3"`,
		},
		"form extra": {
			posted(formType, "a=1&z=3"), "POST /pay money\n>\n> a=1",
			`form field z: is not expected, got "3"`,
		},
		"form missing": {
			posted(formType, "a=1"), "POST /pay money\n>\n> a=1&b=%7B",
			`form field b: want "{", is missing`,
		},
		"form broken": {
			posted(formType, "a=%zz"), "POST /pay money\n>\n> a=1", `body: the form does not parse`,
		},
	}
}

// TestRequestsThatDiffer holds requests against transcripts that they do not fit.
func TestRequestsThatDiffer(t *testing.T) {
	t.Parallel()
	tests := headDifferences()
	maps.Copy(tests, bodyDifferences())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := reports(func(tb testing.TB) {
				p := createStub(tb, sdktest.Config{}, sending(test.request))
				p.Transcript("> " + test.want + "\n< 200\n")
				_, _ = p.Create(pay.CreateRequest{})
			})
			if test.report == "" && got != "" || !strings.Contains(got, test.report) {
				t.Errorf("reported %q\nwant %q", got, test.report)
			}
		})
	}
}

// refusal is a request that no host would send, and what the test is told.
type refusal struct {
	request *sdk.Request
	report  string
}

func headerRefusals() map[string]refusal {
	with := func(name, value string) *sdk.Request {
		return &sdk.Request{Method: "POST", URL: "/pay", Header: []pay.Field{{Name: name, Value: value}}}
	}
	filled := with("authorization", "x")
	filled.Auth = sdk.Bearer("token")
	return map[string]refusal{
		"host header":    {with("host", "x"), "header Host is set by the host"},
		"proxy header":   {with("Proxy-Auth", "x"), "header Proxy-Auth is set by the host"},
		"header break":   {with("X", "a\nb"), "header X holds a line end"},
		"header of auth": {filled, "header Authorization is filled by auth"},
	}
}

func refusals() map[string]refusal {
	post := func(change func(*sdk.Request)) *sdk.Request {
		r := &sdk.Request{Method: "POST", URL: "/pay"}
		change(r)
		return r
	}
	return map[string]refusal{
		"path": {
			post(func(r *sdk.Request) { r.URL = "/payments" }), "egress does not cover POST /payments",
		},
		"method": {
			post(func(r *sdk.Request) { r.Method = "PUT" }), "egress does not cover PUT /pay",
		},
		"origin": {
			post(func(r *sdk.Request) { r.URL = "https://evil.test/pay" }),
			"egress does not cover POST https://evil.test/pay",
		},
		"other origin": {
			post(func(r *sdk.Request) { r.Method, r.URL = "GET", "https://other.test/y" }),
			"egress does not cover",
		},
		"not absolute": {post(func(r *sdk.Request) { r.URL = "pay" }), "is not absolute"},
		"false read": {
			post(func(r *sdk.Request) { r.Effect = sdk.Read }), "a host counts it as writing",
		},
		"undeclared": {
			post(func(r *sdk.Request) { r.Auth = sdk.Bearer("other") }),
			"secret other is not in the manifest",
		},
		"wrong slot": {
			post(func(r *sdk.Request) { r.Auth = sdk.HeaderSecret("X-Key", "", "token") }),
			"secret token is not declared for slot header",
		},
		"profile": {
			post(func(r *sdk.Request) { r.Auth = sdk.OAuth2("other", 0) }),
			"OAuth2 profile other is not in the manifest",
		},
		"profile slot": {
			post(func(r *sdk.Request) { r.Auth = sdk.Basic("id", "id") }),
			"secret id is not declared for slot basic",
		},
		"identity": {
			post(func(r *sdk.Request) { r.TLS = "second" }), "TLS identity second is not in the manifest",
		},
		"mac key": {
			post(func(r *sdk.Request) { r.Auth = sdk.HMAC("other", "HS256", "X-Sign", "hex", nil) }),
			"key other is not in the manifest",
		},
		"mac algorithm": {
			post(func(r *sdk.Request) { r.Auth = sdk.HMAC("sign", "HS512", "X-Sign", "hex", nil) }),
			"key sign is not declared for algorithm HS512",
		},
		"form secret": {
			post(func(r *sdk.Request) { r.Secrets = []sdk.FormSecret{{Field: "t", Secret: "token"}} }),
			"secret token is not declared for slot form",
		},
		"past the end": {post(func(*sdk.Request) {}), "the transcript has ended, the plugin sends"},
	}
}

// TestRefusals shows that the harness fails a test for what no host would let a
// plugin do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := refusals()
	maps.Copy(tests, headerRefusals())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := sdktest.Config{Secrets: []string{"token", "id", "field"}, Identities: []string{"client"}}
			got := reports(func(tb testing.TB) {
				_, _ = createStub(tb, config, sending(test.request)).Create(pay.CreateRequest{})
			})
			if !strings.Contains(got, test.report) {
				t.Errorf("reported %q\nwant %q", got, test.report)
			}
		})
	}
}

// TestBudgets shows that writing calls are counted, and refused where they have no
// place.
func TestBudgets(t *testing.T) {
	t.Parallel()
	write := &sdk.Request{Method: "POST", URL: "/pay", Body: []byte("x")}
	twice := func(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
		_, _ = h.Send(write)
		return sending(write)(h, r)
	}
	native := func(calls int) pay.Manifest {
		m := stubManifest()
		m.Operations[3].Idempotency, m.Operations[3].MoneyCalls = pay.IdempotencyNative, calls
		return m
	}
	lookup := native(2)
	lookup.Operations[3].Idempotency = pay.IdempotencyLookup
	tests := map[string]struct {
		provider stub
		report   string
	}{
		"one too many": {
			stub{manifest: stubManifest(), create: twice},
			"allows 1 writing calls for create, POST /pay is one more",
		},
		"after a doubt": {
			stub{manifest: lookup, create: twice}, "an earlier writing call has an unknown outcome",
		},
		"without the key": {
			stub{manifest: native(2), create: twice},
			"does not carry the key 00000000-0000-4000-8000-000000000014",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := reports(func(tb testing.TB) {
				p := sdktest.New(tb, test.provider, sdktest.Config{})
				p.Transcript("> POST /pay money\n>\n> x\n< !unknown cut\n> POST /pay money\n>\n> x\n< 200\n")
				_, _ = p.Create(pay.CreateRequest{})
			})
			if !strings.Contains(got, test.report) {
				t.Errorf("reported %q\nwant %q", got, test.report)
			}
		})
	}
	got := reports(func(tb testing.TB) {
		p := sdktest.New(tb, stub{
			manifest: stubManifest(),
			status: func(h *sdk.Host, _ []pay.Ref) ([]pay.StatusItem, error) {
				_, err := h.Send(write)
				return nil, err
			},
			check: func(h *sdk.Host) []pay.Problem {
				_, _ = h.Send(&sdk.Request{Method: "GET", URL: "/ask", Effect: sdk.Read})
				_, _ = h.Put("k", nil, 0, sdk.Any)
				return nil
			},
		}, sdktest.Config{})
		_, _ = p.Status(pay.Ref{ID: "1"})
		p.CheckConfig()
	})
	for _, want := range []string{
		"status may only make calls that the manifest's egress lists as reading",
		"check_config may not use the network", "check_config may not use storage",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("reported %q\nwant %q", got, want)
		}
	}
}

// TestLeftOver shows that exchanges which were not made fail the test, but not
// after another failure.
func TestLeftOver(t *testing.T) {
	t.Parallel()
	text := "> POST /pay money\n< 200\n> GET /ask read\n< 200\n"
	run := func(r *sdk.Request) string {
		return reports(func(tb testing.TB) {
			p := createStub(tb, sdktest.Config{}, sending(r))
			p.Transcript(text)
			_, _ = p.Create(pay.CreateRequest{})
		})
	}
	got := run(&sdk.Request{Method: "POST", URL: "/pay"})
	if want := "1 of 2 exchanges were not made:\n  transcript:3: GET /ask read"; !strings.Contains(got, want) {
		t.Errorf("reported %q\nwant %q", got, want)
	}
	if got := run(&sdk.Request{Method: "POST", URL: "/pay/2"}); strings.Contains(got, "were not made") {
		t.Errorf("reported what is left after a failure: %q", got)
	}
}

// TestBrokenPlugins covers what is wrong with the plugin itself.
func TestBrokenPlugins(t *testing.T) {
	t.Parallel()
	undeclared := stubManifest()
	undeclared.Operations = append(undeclared.Operations, pay.OperationSpec{Operation: pay.OpRefund})
	got := reports(func(tb testing.TB) { sdktest.New(tb, stub{manifest: undeclared}, sdktest.Config{}) })
	if !strings.Contains(got, "declares refund, has no method for it") {
		t.Errorf("reported %q", got)
	}
	got = reports(func(tb testing.TB) {
		p := sdktest.New(tb, stub{
			manifest: stubManifest(),
			status: func(*sdk.Host, []pay.Ref) ([]pay.StatusItem, error) {
				return []pay.StatusItem{{ID: "9", Found: pay.FoundObserved}}, nil
			},
		}, sdktest.Config{})
		_, _ = p.Status(pay.Ref{ID: "1"}, pay.Ref{ID: "2"})
	})
	if !strings.Contains(got, `plugin answers for "9", which was not asked after`) {
		t.Errorf("reported %q", got)
	}
	noStorage := stubManifest()
	noStorage.Storage = false
	got = reports(func(tb testing.TB) {
		create := func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
			_, _, err := h.Get("k")
			return nil, err
		}
		p := sdktest.New(tb, stub{manifest: noStorage, create: create}, sdktest.Config{})
		_, _ = p.Create(pay.CreateRequest{})
	})
	if !strings.Contains(got, "uses storage, the manifest does not declare it") {
		t.Errorf("reported %q", got)
	}
}

// TestBrokenTranscripts covers what can't be read.
func TestBrokenTranscripts(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"POST /pay money\n":                       "a line begins with >, <, # or ==",
		"> POST /pay\n< 200\n":                    "a request begins with method, path and read or money",
		"> POST /pay much\n< 200\n":               "a request begins with method, path and read or money",
		"< 200\n> POST /pay money\n":              "an answer stands before the first request",
		"> POST /pay money\n":                     "the last request has no answer",
		"> POST /pay money\n< ok\n":               "an answer begins with a status",
		"> POST /pay money\n< 99\n":               "an answer begins with a status",
		"> POST /pay money\n< !gone\n":            "!gone is none of",
		"> POST /pay money\n> {\"a\"}\n< 200\n":   "is not a header: an empty line must come before the body",
		"> POST /pay money\n< 200\n< !body nix\n": "!body is not followed by Go quotes",
		"testdata/acme.txt#none":                  `there is no section "none"`,
		"testdata/none.txt":                       "no such file",
	}
	for source, want := range tests {
		got := reports(func(tb testing.TB) {
			p := createStub(tb, sdktest.Config{}, nil)
			p.Transcript(source)
		})
		if !strings.Contains(got, want) {
			t.Errorf("transcript %q: reported %q, want %q", source, got, want)
		}
	}
	got := reports(func(tb testing.TB) { sdktest.Sections(tb, "harness_test.go") })
	if !strings.Contains(got, "has no section") {
		t.Errorf("sections of a file without: %q", got)
	}
	names := sdktest.Sections(t, "testdata/acme.txt")
	if len(names) != 6 || names[0] != "testdata/acme.txt#created" {
		t.Errorf("sections: %q", names)
	}
}
