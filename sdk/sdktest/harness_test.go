package sdktest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// fakeTB collects what a test would have reported.
type fakeTB struct {
	testing.TB // nil: what is not overridden must not be called
	reports    []string
	cleanups   []func()
}

func (f *fakeTB) Helper()          {}
func (f *fakeTB) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.reports = append(f.reports, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// reports runs a test function to its end and returns what it reported.
func reports(test func(t testing.TB)) string {
	f := &fakeTB{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, c := range f.cleanups {
				c()
			}
		}()
		test(f)
	}()
	<-done
	return strings.Join(f.reports, "\n")
}

// stub is a provider whose methods are given one by one.
type stub struct {
	manifest pay.Manifest
	create   func(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error)
	status   func(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error)
	check    func(h *sdk.Host) []pay.Problem
}

func (s stub) Manifest() pay.Manifest { return s.manifest }

func (s stub) CheckConfig(h *sdk.Host) []pay.Problem {
	if s.check == nil {
		return nil
	}
	return s.check(h)
}

func (s stub) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) { return s.create(h, r) }

func (s stub) Status(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) { return s.status(h, refs) }

// stubManifest declares one of everything.
func stubManifest() pay.Manifest {
	return pay.Manifest{
		ID: "stub", Version: "1.0.0",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNone, KeyForm: pay.KeyUUID, MoneyCalls: 1},
		},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/pay"},
			{Origin: "base_url", PathPrefix: "/ask", Read: true},
			{Origin: "https://other.test", Methods: []string{"GET"}, PathPrefix: "/x", Read: true},
		},
		Secrets: []pay.SecretSpec{
			{Name: "token", Slots: []pay.Slot{pay.SlotBearer}},
			{Name: "id", Slots: []pay.Slot{pay.SlotOAuth2}},
			{Name: "field", Slots: []pay.Slot{pay.SlotForm}},
		},
		Keys: []pay.KeySpec{{
			Name: "sign",
			Algorithms: []string{
				"HS256", "RS256", "PS256", "ES256", "EdDSA", "ES256-DER", "RSA-OAEP-256",
			},
		}},
		Identities: []pay.IdentitySpec{{Name: "client"}},
		OAuth2:     []pay.OAuth2Profile{{Name: "main", ClientID: "id", ClientSecret: "id"}},
		BatchSize:  2,
		Storage:    true,
	}
}

// createStub is a plugin of which only create matters.
func createStub(
	t testing.TB, config sdktest.Config, create func(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error),
) *sdktest.Plugin {
	t.Helper()
	return sdktest.New(t, stub{manifest: stubManifest(), create: create}, config)
}

// sending is a create that sends one request and returns what came of it.
func sending(r *sdk.Request) func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
	return func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		response, err := h.Send(r)
		if err != nil {
			return nil, err
		}
		return &pay.Result{Outcome: pay.OutcomeApplied, ProviderMessage: string(response.Body)}, nil
	}
}
