package rahmet_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

const (
	plain   = `{"branch_token": "branch-7"}`
	picture = `{"branch_token": "branch-7", "image_size": 300}`
	tiyn    = `{"branch_token": "branch-7", "allow_tiyn": true}`
	second  = `{"branch_token": "branch-7", "api_version": "v2"}`
)

func newPlugin(t *testing.T, settings string) *sdktest.Plugin {
	t.Helper()
	return sdktest.New(t, rahmet.New(), sdktest.Config{
		BaseURL: "https://gateway.test", Settings: settings, Secrets: []string{"client_id", "client_secret"},
	})
}

// tenge returns an amount of tiyn.
func tenge(tiyn int64) pay.Money { return pay.New(tiyn, pay.KZT) }

// sameError compares what a caller acts on; texts for people only by being there.
func sameError(t *testing.T, want *pay.Error, err error) {
	t.Helper()
	got := pay.AsError(err)
	if got == nil || want == nil {
		if got != want {
			t.Errorf("error: want %v, got %v", want, err)
		}
		return
	}
	if got.Message == "" {
		t.Error("error without a message")
	}
	seen := *got
	seen.Message, seen.ProviderMessage, seen.Operation, seen.Err = "", "", 0, nil
	if diff := cmp.Diff(*want, seen); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestManifestFitsMethods(t *testing.T) {
	t.Parallel()
	if diff := sdk.Mismatch(rahmet.New()); len(diff) > 0 {
		t.Fatal(diff)
	}
	m := newPlugin(t, plain).Manifest()
	if diff := cmp.Diff(rahmet.New().Manifest(), m); diff != "" {
		t.Errorf("manifest does not survive its encoding (-want +got):\n%s", diff)
	}
	for _, op := range []pay.Operation{pay.OpCancel, pay.OpConfirm, pay.OpRefundStatus, pay.OpReceipt} {
		if _, declared := m.Operation(op); declared {
			t.Errorf("declares %s, which the provider does not have", op)
		}
	}
	if m.Notification != pay.AuthenticityWeak {
		t.Errorf("notification is %s, want weak: postlinks are not signed", m.Notification)
	}
	want := []pay.OAuth2Profile{{
		Name: "rahmet", TokenPath: "/auth/token", ClientID: "client_id", ClientSecret: "client_secret",
		TokenField: "data.token", ExpiresField: "data.expire_in", ErrorField: "error_code", ErrorOK: "0",
		DefaultLifetime: 3 * time.Hour,
	}}
	if diff := cmp.Diff(want, m.OAuth2); diff != "" {
		t.Errorf("OAuth2 profile (-want +got):\n%s", diff)
	}
}

func TestSettingsSchemaIsClosed(t *testing.T) {
	t.Parallel()
	var schema struct {
		Additional *bool    `json:"additionalProperties"`
		Required   []string `json:"required"`
		Properties map[string]struct {
			Title, Description string
			Default            any
		} `json:"properties"`
	}
	if err := json.Unmarshal([]byte(rahmet.New().Manifest().SettingsSchema), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Additional == nil || *schema.Additional {
		t.Error("additionalProperties is not false")
	}
	if diff := cmp.Diff([]string{"branch_token"}, schema.Required); diff != "" {
		t.Errorf("required (-want +got):\n%s", diff)
	}
	for name, p := range schema.Properties {
		if p.Title == "" || p.Description == "" || p.Default == nil && name != "branch_token" {
			t.Errorf("%s: title, description or default is missing", name)
		}
	}
}

func TestUndeclaredOperations(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	_, err := p.Cancel(pay.PaymentRequest{Payment: pay.Ref{ID: "pay_1", Keys: []string{"100500"}}})
	sameError(t, &pay.Error{Class: pay.ClassUnsupported}, err)
}

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	const branch, size, base = "settings.branch_token", "settings.image_size", "base_url"
	tests := map[string]struct {
		base, settings string
		fields         []string
	}{
		"plain":          {settings: plain},
		"picture":        {settings: picture},
		"smallest":       {settings: `{"branch_token": "b", "image_size": 100}`},
		"largest":        {settings: `{"branch_token": "b", "image_size": 1000}`},
		"no picture":     {settings: `{"branch_token": "b", "image_size": 0}`},
		"behind a proxy": {settings: plain, base: "https://proxy.test/rahmet"},
		"blank branch":   {settings: `{"branch_token": " \t"}`, fields: []string{branch}},
		"too small":      {settings: `{"branch_token": "b", "image_size": 99}`, fields: []string{size}},
		"too large":      {settings: `{"branch_token": "b", "image_size": 1001}`, fields: []string{size}},
		"negative":       {settings: `{"branch_token": "b", "image_size": -1}`, fields: []string{size}},
		"all wrong":      {settings: `{"branch_token": "", "image_size": 1}`, fields: []string{branch, size}},
		"address of call": {
			settings: plain, base: "https://gateway.test/orders/v1/preorder/create", fields: []string{base},
		},
		"address of auth": {settings: plain, base: "https://gateway.test/auth/token", fields: []string{base}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sdktest.New(t, rahmet.New(), sdktest.Config{BaseURL: test.base, Settings: test.settings})
			var fields []string
			for _, problem := range p.CheckConfig() {
				fields = append(fields, problem.Field)
			}
			if diff := cmp.Diff(test.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	tests := map[string]*pay.Error{
		"available":     nil,
		"renewed":       nil,
		"not_available": {Class: pay.ClassUnavailable},
		"legacy":        {Class: pay.ClassUnavailable, ProviderCode: "400"},
		"legacy_400":    {Class: pay.ClassUnavailable, ProviderCode: "400"},
		"missing":       {Class: pay.ClassProtocol},
		"wrong_type":    {Class: pay.ClassProtocol},
		"wrong_client":  {Class: pay.ClassAuth, ProviderCode: "101"},
		"html":          {Class: pay.ClassProtocol},
		"too_many":      {Class: pay.ClassRateLimited, RetryAfter: 2 * time.Minute},
	}
	everySection(t, "testdata/ping.txt", tests, func(t *testing.T, source string, want *pay.Error) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		sameError(t, want, p.Ping())
	})
}

// everySection runs a test for each section of a file, and fails if the file and
// the table do not have the same names.
func everySection[T any](
	t *testing.T, file string, tests map[string]T, run func(t *testing.T, source string, test T),
) {
	t.Helper()
	left := make(map[string]bool, len(tests))
	for name := range tests {
		left[name] = true
	}
	for _, source := range sdktest.Sections(t, file) {
		name := source[len(file)+1:]
		test, ok := tests[name]
		if !ok {
			t.Errorf("%s: nothing is expected of it", source)
			continue
		}
		delete(left, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, source, test)
		})
	}
	for name := range left {
		t.Errorf("%s has no section %s", file, name)
	}
}

// TestMethods holds the methods that the module registers against those that the
// plugin has.
func TestMethods(t *testing.T) {
	t.Parallel()
	got, want := reflect.ValueOf(rahmet.Methods()), reflect.ValueOf(sdk.MethodsOf(rahmet.New()))
	for i := range want.NumField() {
		if got.Field(i).IsNil() != want.Field(i).IsNil() {
			t.Errorf("%s: registered %v, there %v", want.Type().Field(i).Name, !got.Field(i).IsNil(), !want.Field(i).IsNil())
		}
	}
}
