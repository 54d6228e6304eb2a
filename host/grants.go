package host

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// egressConfig is the intersection of what the manifest asks for and what the
// operator grants: the base URL's origin and the hosts of the grant.
func (c *Connection) egressConfig(b *binding, base *url.URL) egress.Config {
	limits := c.host.config.Limits
	m := &b.revision.manifest
	config := egress.Config{
		AllowPrivate: c.config.Egress.AllowPrivate,
		Vault:        b.vault, Scrubber: b.scrubber,
		SecretBindings:   map[string]egress.SecretBinding{},
		IdentityBindings: map[string][]egress.Rule{},
		OAuth2:           map[string]egress.OAuth2Profile{},
		Limits: egress.Limits{
			RequestBytes: limits.RequestBytes, ResponseBytes: limits.ResponseBytes, CallTimeout: limits.CallTimeout,
		},
		Logger: b.log.Named("egress"), Now: c.host.config.Now,
	}
	if c.host.config.Wire != nil {
		config.Wire = c.host.config.Wire(c.config.Name)
	}
	for _, rule := range m.Egress {
		if r, ok := c.granted(rule, base); ok {
			config.Allow = append(config.Allow, r)
		}
	}
	home := originRule(base)
	for _, p := range m.OAuth2 {
		config.Allow = append(config.Allow, tokenRule(home, base, p))
		config.OAuth2[p.Name] = c.profile(base, p)
	}
	for _, s := range m.Secrets {
		config.SecretBindings[s.Name] = egress.SecretBinding{Slots: slotNames(s.Slots), Rules: []egress.Rule{home}}
	}
	for _, name := range b.vault.IdentityNames() {
		config.IdentityBindings[name] = []egress.Rule{home}
	}
	return config
}

// granted cuts one rule of the manifest down to the operator's grant.
func (c *Connection) granted(rule pay.EgressRule, base *url.URL) (egress.Rule, bool) {
	if rule.Origin == abi.ConfigBaseURL {
		r := originRule(base)
		r.Methods = rule.Methods
		r.PathPrefix = base.Path + rule.PathPrefix
		return r, true
	}
	u, err := url.Parse(rule.Origin)
	if err != nil || u.Host == "" || !slices.Contains(c.config.Egress.Hosts, u.Host) {
		return egress.Rule{}, false
	}
	r := originRule(u)
	r.Methods, r.PathPrefix = rule.Methods, rule.PathPrefix
	return r, true
}

// originRule allows everything at a URL's scheme, host and port.
func originRule(u *url.URL) egress.Rule {
	r := egress.Rule{Scheme: u.Scheme, Host: u.Hostname()}
	if port := u.Port(); port != "" {
		n, _ := strconv.ParseUint(port, 10, 16) // url.Parse has checked that it is a number
		r.Port = uint16(n)
	}
	return r
}

func tokenRule(home egress.Rule, base *url.URL, p pay.OAuth2Profile) egress.Rule {
	home.Methods = []string{"POST"}
	home.PathPrefix = base.Path + p.TokenPath
	return home
}

func (c *Connection) profile(base *url.URL, p pay.OAuth2Profile) egress.OAuth2Profile {
	out := egress.OAuth2Profile{
		TokenURL: base.String() + p.TokenPath, ClientIDSecret: p.ClientID, ClientSecretSecret: p.ClientSecret,
		Style: egress.FormStyle, Scope: p.Scope, TokenPath: p.TokenField, ExpiresPath: p.ExpiresField,
		ErrorPath: p.ErrorField, ErrorOK: p.ErrorOK, DefaultLifetime: p.DefaultLifetime,
	}
	if _, own := c.vault.Identity(abi.DefaultTLSName); own { // the login goes where the calls go, and as they do
		out.Identity = abi.DefaultTLSName
	}
	if p.BasicAuth {
		out.Style = egress.BasicStyle
	}
	return out
}

func slotNames(slots []pay.Slot) []string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.String()
	}
	return names
}

// originOf writes scheme, host and port in one form, the scheme's own port left
// out, to compare URLs by.
func originOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}

// reading reports whether the manifest lists a call as one that changes nothing,
// so that it may be repeated. The egress policy has its own, stricter look at the
// URL before anything leaves.
func (b *binding) reading(method, rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	for _, rule := range b.reads {
		if !rule.Read || len(rule.Methods) > 0 && !slices.Contains(rule.Methods, method) {
			continue
		}
		origin, path := rule.Origin, u.Path
		if origin == abi.ConfigBaseURL {
			origin = b.origin
			rest, ok := strings.CutPrefix(path, b.basePath)
			if !ok {
				continue
			}
			path = rest
		}
		if origin == originOf(u) && underPath(path, rule.PathPrefix) {
			return true
		}
	}
	return false
}

// underPath reports whether a path is a prefix's own or below it, by whole
// segments.
func underPath(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
