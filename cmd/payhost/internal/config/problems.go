package config

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/sdk/pay"
)

// mostRecordings is how many recordings may be kept in a folder.
const mostRecordings = 1_000_000

// leastSecret is the shortest secret that signs events, in bytes.
const leastSecret = 16

// problems checks what the types alone can't say.
func (c *Config) problems() Errors {
	var list Errors
	add := func(field, problem string) { list = append(list, field+": "+problem) }
	if c.Log.Format != "json" && c.Log.Format != "text" {
		add("log.format", "is neither json nor text")
	}
	if !slices.Contains([]string{"trace", "debug", "info", "warn", "error", "off"}, c.Log.Level) {
		add("log.level", "is not one of trace, debug, info, warn, error, off")
	}
	if k := time.Duration(c.Retention.Keys); k != 0 && k < payments.LeastKeyRetention {
		add("retention.keys", "is shorter than 400d: a repeat may come with a late refund")
	}
	c.addressProblems(add)
	for _, name := range slices.Sorted(maps.Keys(c.Plugins)) {
		if p := c.Plugins[name]; p.Path == "" {
			add("plugins."+name+".path", "is missing")
		} else if p.SHA256 != "" && !digest().MatchString(p.SHA256) {
			add("plugins."+name+".sha256", "is not a SHA-256 in lowercase hex")
		}
		if !slices.Contains([]string{"", "every_call", "never"}, c.Plugins[name].Isolation) {
			add("plugins."+name+".isolation", "is neither every_call nor never")
		}
		nameProblem("plugins."+name, name, add)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Connections)) {
		c.connectionProblems(name, add)
	}
	c.tokenProblems(add)
	c.webhookProblems(add)
	c.recordProblems(add)
	return list
}

func (c *Config) addressProblems(add func(field, problem string)) {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil {
		add("listen", "is not host:port")
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		add("listen", fmt.Sprintf("port %q is not a number from 0 to 65535", port))
	}
	if c.PublicURL != "" {
		if problem := httpURL(c.PublicURL); problem != "" {
			add("public_url", problem)
		} else if u, _ := url.Parse(c.PublicURL); u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			add("public_url", "may hold no user, query or fragment")
		}
	}
	if c.DatabaseURL != "" {
		u, err := url.Parse(c.DatabaseURL)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" { // the URL may hold a password: it is not shown
			add("database_url", "is not a postgres:// URL")
		}
	}
	if c.DataDir == "" {
		add("data_dir", "is missing")
	}
}

func (c *Config) connectionProblems(name string, add func(field, problem string)) {
	conn, at := c.Connections[name], "connections."+name
	nameProblem(at, name, add)
	if _, ok := c.Plugins[conn.Plugin]; !ok {
		add(at+".plugin", fmt.Sprintf("plugin %q is not under plugins", conn.Plugin))
	}
	if conn.BaseURL == "" {
		add(at+".base_url", "is missing")
	}
	if !slices.Contains([]string{"", "accept", "auto_refund", "review"}, conn.LateSuccess) {
		add(at+".late_success", "is not one of accept, auto_refund, review")
	}
	if conn.Rate < 0 || conn.Rate > 1000 {
		add(at+".rate", "is not from 1 to 1000 status calls a second")
	}
	for i, text := range conn.Egress.Hosts { // one that no origin can equal grants nothing
		if u, err := url.Parse("https://" + text); err != nil || u.Host != text || text != strings.ToLower(text) || text == "" {
			add(fmt.Sprintf("%s.egress.hosts.%d", at, i), "is not a host such as api.example.com or api.example.com:8443")
		}
	}
	conn.fileProblems(func(field, problem string) { add(at+"."+field, problem) })
}

// nameProblem says of a plugin or connection that it can't be named so, as the host would
// when it is opened: together with what else is wrong.
func nameProblem(at, name string, add func(field, problem string)) {
	if !regexp.MustCompile(`^[a-z0-9_-]{1,64}$`).MatchString(name) {
		add(at, "name is not 1 to 64 lowercase letters, digits, dashes or underscores")
	}
}

// fileProblems finds keys and certificates that stand where their files should be named,
// as "file:till.key" puts them there: as a path that is not found they would be shown.
func (c *Connection) fileProblems(add func(field, problem string)) {
	check := func(field, path string) {
		if strings.ContainsAny(path, "\r\n") {
			add(field, "is what stands in a file, not its path: write the path alone, without file: or env:")
		}
	}
	check("tls.client_cert_file", c.TLS.CertFile)
	check("tls.client_key_file", c.TLS.KeyFile)
	check("tls.ca_file", c.TLS.CAFile)
	for _, name := range slices.Sorted(maps.Keys(c.Keys)) {
		check("keys."+name+".private_key_file", c.Keys[name].PrivateKeyFile)
		check("keys."+name+".public_key_file", c.Keys[name].PublicKeyFile)
	}
}

func (c *Config) tokenProblems(add func(field, problem string)) {
	names, tokens := map[string]bool{}, map[string]bool{}
	for i, t := range c.Auth.Tokens {
		at := fmt.Sprintf("auth.tokens.%d", i)
		switch {
		case t.Token == "" || t.Name == "":
			add(at, "needs a name and a token")
			continue
		case strings.ContainsFunc(t.Token, func(c rune) bool { return c <= ' ' || c > '~' }):
			add(at+".token", "is not all printable ASCII characters without spaces")
		case t.Name == payments.HostCaller:
			add(at+".name", fmt.Sprintf("%q is payhost's own: idempotency keys are kept by it", t.Name))
		case names[t.Name]:
			add(at+".name", fmt.Sprintf("%q stands twice: idempotency keys are kept by it", t.Name))
		case tokens[t.Token]:
			add(at+".token", "is another caller's already")
		case len(t.Scopes) == 0:
			add(at+".scopes", "is empty: give payments, admin or both")
		}
		names[t.Name], tokens[t.Token] = true, true
		for _, scope := range t.Scopes {
			if scope != "payments" && scope != "admin" {
				add(at+".scopes", fmt.Sprintf("%q is neither payments nor admin", scope))
			}
		}
	}
}

func (c *Config) webhookProblems(add func(field, problem string)) {
	urls := map[string]bool{}
	for i, w := range c.Webhooks {
		at := fmt.Sprintf("webhooks.%d", i)
		if problem := httpURL(w.URL); problem != "" {
			add(at+".url", problem)
		} else if urls[w.URL] {
			add(at+".url", "stands twice")
		}
		urls[w.URL] = true
		if problem := signingSecret(w.Secret); problem != "" {
			add(at+".secret", problem)
		}
		for _, pattern := range w.Events {
			if !events().MatchString(pattern) {
				add(at+".events", fmt.Sprintf(`%q is neither "*" nor like "payment.*" or "payment.succeeded"`, pattern))
			}
		}
	}
}

func (c *Config) recordProblems(add func(field, problem string)) {
	r := c.Record
	if r.Dir == "" && (len(r.Connections) > 0 || len(r.Operations) > 0 || r.Keep != 0) {
		add("record.dir", "is missing: without it nothing is recorded")
	}
	for i, name := range r.Connections {
		if _, ok := c.Connections[name]; !ok {
			add(fmt.Sprintf("record.connections.%d", i), fmt.Sprintf("connection %q is not under connections", name))
		}
	}
	for i, name := range r.Operations {
		var op pay.Operation
		if err := op.UnmarshalText([]byte(name)); err != nil || name == "" {
			add(fmt.Sprintf("record.operations.%d", i), fmt.Sprintf("%q is no operation, such as create or refund", name))
		}
	}
	if r.Keep < 0 || r.Keep > mostRecordings {
		add("record.keep", fmt.Sprintf("is not from 1 to %d", mostRecordings))
	}
}

// httpURL says what keeps a text from being an absolute URL of http or https.
func httpURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "is missing"
	case err != nil || u.Host == "" || u.Opaque != "":
		return "is not an absolute URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "scheme is neither https nor http"
	}
	return ""
}

// signingSecret says what is wrong with a secret that signs events.
func signingSecret(secret string) string {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		if len(secret) < leastSecret {
			return fmt.Sprintf("is shorter than %d bytes", leastSecret)
		}
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "is not base64 after whsec_"
	}
	if len(raw) < leastSecret {
		return fmt.Sprintf("is shorter than %d bytes after whsec_", leastSecret)
	}
	return ""
}

func digest() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) }

func events() *regexp.Regexp {
	return regexp.MustCompile(`^(\*|[a-z][a-z_]*\.(\*|[a-z][a-z_]*))$`)
}
