package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

func newPlugin(out *output) *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "Begin, pack and inspect plugins, and change those of a running payhost"}
	c.AddCommand(newNew(out), newInspect(out), newPack(out))
	c.AddCommand(revisionCommands(out)...)
	return c
}

func newInspect(out *output) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE.wasm",
		Short: "Check a plugin file and show what it is, what it needs and what it may do",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := host.New(host.Config{})
			if err != nil {
				return err
			}
			defer h.Close()
			found, err := h.Inspect(cmd.Context(), host.Source{Path: args[0]})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if out.format == "json" {
				return out.json(describe(found))
			}
			out.inspection(args[0], found)
			return nil
		},
	}
}

func newPack(_ *output) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "pack FILE.wasm",
		Short: "Put the manifest into a plugin file, and check the result",
		Long: `Pack runs the module's describe operation and appends the answer as the section payhost.manifest, where a host
and an operator can read it without running the module. Without --out the file is changed in place.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				to = args[0]
			}
			return pack(cmd, args[0], to)
		},
	}
	c.Flags().StringVar(&to, "out", "", "where to write the packed plugin")
	return c
}

func pack(cmd *cobra.Command, from, to string) error {
	binary, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	h, err := host.New(host.Config{})
	if err != nil {
		return err
	}
	defer h.Close()
	packed, err := h.Pack(cmd.Context(), binary)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	// A new file moved into place: a reader sees the old one or the new one, whole.
	tmp, err := os.CreateTemp(filepath.Dir(to), ".pack-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(packed); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}

// pluginView is an inspection as JSON: words in place of numbers.
type pluginView struct {
	Digest       string              `json:"sha256"`
	ID           string              `json:"id"`
	Version      string              `json:"version"`
	Title        string              `json:"title"`
	Operations   []operationView     `json:"operations"`
	Flows        []string            `json:"flows"`
	Currencies   []string            `json:"currencies"`
	Egress       []string            `json:"egress"`
	Secrets      map[string][]string `json:"secrets"`
	Keys         map[string][]string `json:"keys"`
	Identities   []string            `json:"identities"`
	Imports      []string            `json:"imports"`
	Lasting      string              `json:"lasting,omitempty"` // why it can't run with isolation every_call
	Storage      bool                `json:"storage"`
	Notification string              `json:"notification"`
	BatchSize    int                 `json:"batch_size"`
	Settings     string              `json:"settings_schema"`
}

type operationView struct {
	Operation   string `json:"operation"`
	Idempotency string `json:"idempotency,omitempty"`
	Key         string `json:"key,omitempty"`
	MoneyCalls  int    `json:"money_calls"`
}

func describe(in host.Inspection) pluginView {
	m := in.Manifest
	v := pluginView{
		Digest: in.Digest, ID: m.ID, Version: m.Version, Title: m.Title, Imports: in.Imports, Lasting: in.Lasting, Storage: m.Storage,
		Notification: m.Notification.String(), BatchSize: m.BatchSize, Settings: m.SettingsSchema,
		Secrets: map[string][]string{}, Keys: map[string][]string{},
	}
	for _, op := range m.Operations {
		o := operationView{Operation: op.Operation.String(), MoneyCalls: op.MoneyCalls}
		if op.Operation.Kind().Writes() {
			o.Idempotency, o.Key = op.Idempotency.String(), op.KeyForm.String()
		}
		v.Operations = append(v.Operations, o)
	}
	for _, f := range m.Flows {
		v.Flows = append(v.Flows, f.String())
	}
	for _, c := range m.Currencies {
		v.Currencies = append(v.Currencies, string(c.Currency))
	}
	for _, e := range m.Egress {
		v.Egress = append(v.Egress, egressText(e))
	}
	for _, s := range m.Secrets {
		for _, slot := range s.Slots {
			v.Secrets[s.Name] = append(v.Secrets[s.Name], slot.String())
		}
	}
	for _, k := range m.Keys {
		v.Keys[k.Name] = k.Algorithms
	}
	for _, i := range m.Identities {
		v.Identities = append(v.Identities, i.Name)
	}
	return v
}

func egressText(e pay.EgressRule) string {
	methods := strings.Join(e.Methods, ",")
	if methods == "" {
		methods = "any method"
	}
	text := methods + " " + e.Origin + e.PathPrefix
	if e.Read {
		text += " (reading: may be repeated)"
	}
	return text
}

// inspection prints what a person wants to know before trusting a plugin.
func (o *output) inspection(path string, in host.Inspection) {
	v := describe(in)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(o.stdout, "%-14s%s\n", name, text)
		}
	}
	list := func(name string, items []string) {
		for _, item := range items {
			line(name, item)
			name = ""
		}
	}
	line("file", path)
	line("sha256", v.Digest)
	line("plugin", v.ID+" "+v.Version+" ("+v.Title+")")
	line("flows", strings.Join(v.Flows, ", "))
	line("currencies", strings.Join(v.Currencies, ", "))
	var ops []string
	for _, op := range v.Operations {
		text := fmt.Sprintf("%-15s", op.Operation)
		if op.Idempotency != "" {
			text += fmt.Sprintf("writes, %d call(s), idempotency %s, key %s", op.MoneyCalls, op.Idempotency, op.Key)
		}
		ops = append(ops, strings.TrimSpace(text))
	}
	list("operations", ops)
	list("reaches", v.Egress)
	for _, s := range in.Manifest.Secrets {
		line("secret", need(s.Name, s.Required, s.Title)+" in slots "+strings.Join(v.Secrets[s.Name], ", "))
	}
	for _, k := range in.Manifest.Keys {
		line("key", need(k.Name, k.Required, k.Title)+" for "+strings.Join(k.Algorithms, ", "))
	}
	for _, i := range in.Manifest.Identities {
		line("tls identity", need(i.Name, i.Required, i.Title))
	}
	line("notifications", v.Notification)
	line("imports", strings.Join(v.Imports, ", "))
	if v.Lasting != "" {
		line("isolation", "never only: the module has "+v.Lasting)
	}
}

func need(name string, required bool, title string) string {
	text := name
	if !required {
		text += " (optional)"
	}
	if title != "" {
		text += ", " + title + ","
	}
	return text
}
