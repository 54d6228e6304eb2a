package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk/pay"
)

// TestManifestRefuses breaks each rule of a manifest in turn.
func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	good := probe.New().Manifest()
	if problem := checkManifest(&good); problem != "" {
		t.Fatalf("the good one: %s", problem)
	}
	tests := map[string]struct {
		change func(*pay.Manifest)
		want   string
	}{
		"id":                   {func(m *pay.Manifest) { m.ID = "Probe" }, "id"},
		"version":              {func(m *pay.Manifest) { m.Version = "1.0" }, "version"},
		"batch size":           {func(m *pay.Manifest) { m.BatchSize = 0 }, "batch_size"},
		"state":                {func(m *pay.Manifest) { m.State.Reads = nil }, "state"},
		"no currency":          {func(m *pay.Manifest) { m.Currencies = nil }, "currencies"},
		"unknown currency":     {func(m *pay.Manifest) { m.Currencies = []pay.CurrencySpec{{Currency: "ABC", Step: 1}} }, "ISO 4217"},
		"step":                 {func(m *pay.Manifest) { m.Currencies = []pay.CurrencySpec{{Currency: pay.KZT}} }, "step"},
		"create missing":       {func(m *pay.Manifest) { m.Operations = m.Operations[:2] }, "create is missing"},
		"twice":                {func(m *pay.Manifest) { m.Operations = append(m.Operations, m.Operations[0]) }, "twice"},
		"unknown operation":    {func(m *pay.Manifest) { m.Operations = append(m.Operations, pay.OperationSpec{Operation: 99}) }, "99"},
		"no idempotency":       {func(m *pay.Manifest) { m.Operations = append(m.Operations, pay.OperationSpec{Operation: pay.OpBind}) }, "idempotency"},
		"native without a key": {func(m *pay.Manifest) { spec(m, pay.OpRefund).KeyForm = pay.KeyNone }, "needs a key"},
		"counter without":      {func(m *pay.Manifest) { spec(m, pay.OpCancel).KeySetting = "" }, "key_setting"},
		"too many calls":       {func(m *pay.Manifest) { spec(m, pay.OpCreate).MoneyCalls = 9 }, "money_calls"},
		"money in status":      {func(m *pay.Manifest) { spec(m, pay.OpStatus).MoneyCalls = 1 }, "money_calls"},
		"http origin":          {func(m *pay.Manifest) { m.Egress[0].Origin = "http://x" }, "https"},
		"reads everything":     {func(m *pay.Manifest) { m.Egress[1].PathPrefix = "" }, "reading rule"},
		"secret without slot":  {func(m *pay.Manifest) { m.Secrets[0].Slots = nil }, "slot"},
		"secret name":          {func(m *pay.Manifest) { m.Secrets[0].Name = "API" }, "API"},
		"oauth2 secrets":       {func(m *pay.Manifest) { m.OAuth2 = []pay.OAuth2Profile{{Name: "x", ClientID: "a", ClientSecret: "b"}} }, "oauth2"},
	}
	for name, tt := range tests {
		m := probe.New().Manifest()
		tt.change(&m)
		if problem := checkManifest(&m); !strings.Contains(problem, tt.want) {
			t.Errorf("%s: problem %q, want %q", name, problem, tt.want)
		}
	}
}

func spec(m *pay.Manifest, op pay.Operation) *pay.OperationSpec {
	for i := range m.Operations {
		if m.Operations[i].Operation == op {
			return &m.Operations[i]
		}
	}
	return nil
}

// TestImportsMustBeJustified takes a reason away from each group of imports.
func TestImportsMustBeJustified(t *testing.T) {
	t.Parallel()
	imports := []string{"input", "http_send", "verify", "kv_get"}
	m := probe.New().Manifest()
	if problem := justified(&m, imports); problem != "" {
		t.Fatalf("the good one: %s", problem)
	}
	for name, change := range map[string]func(*pay.Manifest){
		"http_send": func(m *pay.Manifest) { m.Egress = nil },
		"verify":    func(m *pay.Manifest) { m.Keys = nil },
		"kv_get":    func(m *pay.Manifest) { m.Storage = false },
	} {
		m := probe.New().Manifest()
		change(&m)
		if problem := justified(&m, imports); !strings.Contains(problem, "imports "+name) {
			t.Errorf("%s: problem %q", name, problem)
		}
	}
}

// TestSchemaRefuses gives schemas that a plugin may not have.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range map[string]string{
		"not JSON":           `{`,
		"not a schema":       `{"type":"nonsense"}`,
		"reference outside":  `{"$ref":"https://example.com/schema.json"}`,
		"reference to files": `{"$ref":"file:///etc/passwd"}`,
		"reference beside":   `{"$ref":"other.json"}`,
	} {
		_, err := compileSchema(schema)
		if err == nil {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(err.Error(), filepath.Dir(here)) {
			t.Errorf("%s: error %q tells where payhost runs", name, err)
		}
	}
}
