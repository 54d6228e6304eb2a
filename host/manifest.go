package host

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// describe runs the plugin's describe operation, holds the answer against the
// manifest section byte for byte, and checks what it says. section is nil for a
// native plugin, which has none.
func (h *Host) describe(ctx context.Context, rev *Revision, section []byte) (*Revision, error) {
	raw, err := h.askManifest(ctx, rev)
	if err == nil && section != nil && !bytes.Equal(raw, section) {
		err = pluginError("manifest: the section " + abi.ManifestName + " and the answer of describe differ: pack the plugin again")
	}
	if err == nil {
		err = rev.setManifest(raw)
	}
	if err != nil {
		rev.close()
		return nil, err
	}
	rev.running.Store(1)
	return rev, nil
}

// describeTimeout is how long describe may take at least, however short other calls must be,
// with the time in which its instance is made. It is the first that touches the memory of an
// instance, beside all the calls that a swap must not disturb, and no payer waits for it.
const describeTimeout = 10 * time.Second

// askManifest returns the manifest that the plugin's code answers.
func (h *Host) askManifest(ctx context.Context, rev *Revision) ([]byte, error) {
	c := newCall(h, nil, pay.OpDescribe)
	deadline := time.Now().Add(max(h.config.Limits.CallTimeout, describeTimeout))
	c.start(ctx, deadline)
	defer c.finish()
	code, fault := rev.engine.describe(ctx, c, deadline)
	reply, fault := c.outcome(code, fault)
	c.noReply(fault)
	c.record(Verdict{}, nil)
	switch {
	case fault != nil:
		return nil, fault.Fill()
	case reply.Err != nil:
		return nil, pluginError("describe: " + reply.Err.Error())
	case len(reply.Manifest) == 0:
		return nil, pluginError("describe: answer holds no manifest")
	}
	return bytes.Clone(reply.Manifest), nil
}

func (r *Revision) setManifest(raw []byte) error {
	manifest, err := abi.DecodeManifest(raw)
	if err != nil {
		return pluginError("manifest: " + err.Error())
	}
	if problem := checkManifest(&manifest); problem != "" {
		return pluginError("manifest: " + problem)
	}
	if e, ok := r.engine.(*wasmEngine); ok {
		if problem := justified(&manifest, e.module.Imports()); problem != "" {
			return pluginError("manifest: " + problem)
		}
	}
	if r.schema, err = compileSchema(manifest.SettingsSchema); err != nil {
		return pluginError("manifest: settings_schema: " + err.Error())
	}
	r.manifest = manifest
	return nil
}

var (
	pluginID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	semver   = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	bindName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// checkManifest returns the first thing that a manifest may not say, or "".
func checkManifest(m *pay.Manifest) string {
	switch {
	case !pluginID.MatchString(m.ID):
		return "id: must be lowercase letters, digits and dashes"
	case !semver.MatchString(m.Version):
		return "version: is not a semantic version"
	case m.BatchSize < 1 || m.BatchSize > abi.MaxItems:
		return fmt.Sprintf("batch_size: must be 1 to %d", abi.MaxItems)
	case m.State.Writes < 0 || m.Storage && !slices.Contains(m.State.Reads, m.State.Writes):
		return "state: a plugin with storage must read the state schema that it writes"
	case len(m.Currencies) == 0:
		return "currencies: there is none"
	}
	checks := []func(*pay.Manifest) string{checkOperations, checkCurrencies, checkEgress, checkNames}
	for _, check := range checks {
		if problem := check(m); problem != "" {
			return problem
		}
	}
	return ""
}

func checkOperations(m *pay.Manifest) string {
	seen := map[pay.Operation]bool{}
	for _, spec := range m.Operations {
		name := spec.Operation.String()
		writes := spec.Operation.Kind().Writes()
		switch {
		case name == "unknown":
			return fmt.Sprintf("operations: this payhost knows no operation %d", spec.Operation)
		case seen[spec.Operation]:
			return "operations: " + name + " stands twice"
		case writes && (spec.Idempotency < pay.IdempotencyNone || spec.Idempotency > pay.IdempotencyLookup):
			return "operations: " + name + ": a writing operation must declare its idempotency"
		case spec.MoneyCalls < 0 || spec.MoneyCalls > 4 || !writes && spec.MoneyCalls != 0:
			return "operations: " + name + ": money_calls must be 0 to 4, and 0 for a reading operation"
		case spec.KeyForm > pay.KeyCounter:
			return "operations: " + name + ": unknown key form"
		case spec.KeyMaxLen < 0 || spec.KeyMaxLen > 255 || spec.KeyMaxLen > 0 && spec.KeyMaxLen < 16:
			return "operations: " + name + ": key_max_len must be 16 to 255"
		case spec.KeyForm == pay.KeyCounter && spec.KeySetting == "":
			return "operations: " + name + ": key form counter needs key_setting"
		case spec.Idempotency == pay.IdempotencyNative && spec.KeyForm == pay.KeyNone && spec.MoneyCalls > 0:
			return "operations: " + name + ": native idempotency needs a key"
		}
		seen[spec.Operation] = true
	}
	for _, op := range pay.Operations() {
		if op.Required() && !seen[op] {
			return "operations: " + op.String() + " is missing"
		}
	}
	return ""
}

func checkCurrencies(m *pay.Manifest) string {
	for _, c := range m.Currencies {
		if err := pay.New(0, c.Currency).Valid(); err != nil {
			return fmt.Sprintf("currencies: %q is not an ISO 4217 code", c.Currency)
		}
		if c.Step < 1 || c.Min < 0 || c.Max < 0 || c.Max > 0 && c.Max < c.Min {
			return "currencies: " + string(c.Currency) + ": step must be 1 or more, and min not above max"
		}
	}
	return ""
}

func checkEgress(m *pay.Manifest) string {
	for _, rule := range m.Egress {
		switch {
		case rule.Origin != abi.ConfigBaseURL && !strings.HasPrefix(rule.Origin, "https://"):
			return fmt.Sprintf("egress: origin %q is neither base_url nor an https origin", rule.Origin)
		case rule.PathPrefix != "" && rule.PathPrefix[0] != '/':
			return fmt.Sprintf("egress: path prefix %q does not begin with a slash", rule.PathPrefix)
		case rule.Read && rule.PathPrefix == "":
			return "egress: a reading rule must name a path: it lets the host repeat calls"
		}
	}
	return ""
}

func checkNames(m *pay.Manifest) string {
	seen := map[string]bool{}
	name := func(kind, name string) string {
		if !bindName.MatchString(name) || seen[kind+name] {
			return fmt.Sprintf("%s: name %q is not lowercase letters, digits and underscores, or stands twice", kind, name)
		}
		seen[kind+name] = true
		return ""
	}
	for _, s := range m.Secrets {
		if problem := name("secrets", s.Name); problem != "" {
			return problem
		}
		if len(s.Slots) == 0 {
			return "secrets: " + s.Name + ": declares no slot, so it can't be used"
		}
	}
	for _, k := range m.Keys {
		if problem := name("keys", k.Name); problem != "" {
			return problem
		}
	}
	for _, i := range m.Identities {
		if problem := name("identities", i.Name); problem != "" {
			return problem
		}
	}
	for _, p := range m.OAuth2 {
		if problem := name("oauth2", p.Name); problem != "" {
			return problem
		}
		if !seen["secrets"+p.ClientID] || !seen["secrets"+p.ClientSecret] {
			return "oauth2: " + p.Name + ": its secrets are not declared"
		}
		if !strings.HasPrefix(p.TokenPath, "/") || p.TokenField == "" {
			return "oauth2: " + p.Name + ": token_path must begin with a slash, token_field must be given"
		}
	}
	return ""
}

// justified returns which import the manifest gives no reason for, or "".
func justified(m *pay.Manifest, imports []string) string {
	groups := map[string]bool{
		"": true, abi.GroupHTTP: len(m.Egress) > 0, abi.GroupCrypto: len(m.Keys) > 0, abi.GroupStorage: m.Storage,
	}
	for _, sig := range abi.ImportTable() {
		if slices.Contains(imports, sig.Name) && !groups[sig.Group] {
			return fmt.Sprintf("module imports %s, but the manifest declares no %s", sig.Name, sig.Group)
		}
	}
	return ""
}
