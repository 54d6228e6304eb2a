package egress

import (
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	t.Parallel()
	cases := []struct{ raw, want string }{
		{"https://pay.example", "https://pay.example/"},
		{"https://pay.example?a=1", "https://pay.example/?a=1"},
		{"https://PAY.Example:443/v1", "https://pay.example/v1"},
		{"https://pay.example./v1", "https://pay.example/v1"},
		{"HTTPS://pay.example:8443/v1/", "https://pay.example:8443/v1/"},
		{"http://pay.example:80/", "http://pay.example/"},
		{"http://pay.example:443/", "http://pay.example:443/"},
		{"https://[2001:DB8::0001]:8443/", "https://[2001:db8::1]:8443/"},
		{"https://[::1]/", "https://[::1]/"},
		{"https://127.0.0.1/", "https://127.0.0.1/"},
		{"https://xn--80ak6aa92e.example/", "https://xn--80ak6aa92e.example/"},
		{"https://pay.example/a%20b/%D0%B0?x=%2F..", "https://pay.example/a%20b/%D0%B0?x=%2F.."},
		{"https://pay.example/%70ay", "https://pay.example/%70ay"},
		{"https://pay.example/a?", "https://pay.example/a"},
	}
	for _, tc := range cases {
		got, err := parseTarget(tc.raw)
		if err != nil || got.url.String() != tc.want {
			t.Errorf("parseTarget(%q) = %v, %v; want %s", tc.raw, got.url, err, tc.want)
		}
	}
}

// hostileURLs must not pass whatever the allow-list says.
func hostileURLs() []string {
	return []string{
		"", "/v1", "pay.example/v1", "//pay.example/v1", "https:/pay.example", "https:pay.example", "https://",
		"ftp://pay.example/", "file:///etc/passwd", "unix:///run/x", "https://?x", "https:///v1",
		// Which host is it?
		"https://user@pay.example/", "https://pay.example:pw@evil.example/", "https://@pay.example/",
		"https://evil.example\\@pay.example/", "https://pay.example\\.evil.example/",
		"https://pay.example#@evil.example/", "https://pay.example/#f", "https://evil.example#pay.example/",
		"https://pay.example%2eevil.example/", "https://%70ay.example/", "https://pay.example%00.evil/",
		"https://pay..example/", "https://pay.example../", "https://.pay.example/", "https://-pay.example/",
		"https://pay.example :443/", "https://pay.exаmple/", "https://pay。example/", "https://pay.example\t/",
		"https://pay.example\r\nHost: evil/", "https://pay\u00ad.example/", "https://pay_.exa mple/",
		"https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("a.", 127) + "example/",
		// Numbers that some resolvers take for an address.
		"https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
		"https://127.0.0.1.1/", "https://127.0.0.01/", "https://1.2.3/", "https://256.0.0.1/",
		"https://[fe80::1%25eth0]/", "https://[::1/", "https://::1/", "https://[127.0.0.1]/", "https://[]/",
		// Which port is it?
		"https://pay.example:/", "https://pay.example:0/", "https://pay.example:0443/", "https://pay.example:65536/",
		"https://pay.example:+443/", "https://pay.example:443:443/", "https://pay.example:https/",
		// Which path is it?
		"https://pay.example/../x", "https://pay.example/a/./b", "https://pay.example/a/..", "https://pay.example/.",
		"https://pay.example/%2e%2e/x", "https://pay.example/.%2E/x", "https://pay.example/..;/x",
		"https://pay.example/..;a=b/x", "https://pay.example/%2e%2e%3bx/y", "https://pay.example/..%20/x",
		"https://pay.example/.../x", "https://pay.example/a%2fb", "https://pay.example/a%2F..%2Fb",
		"https://pay.example/a%5cb", "https://pay.example/a\\..\\b", "https://pay.example//x",
		"https://pay.example/a//b", "https://pay.example/a%00", "https://pay.example/a%0d%0ab",
		"https://pay.example/%252e%252e/x", "https://pay.example/a%252fb", "https://pay.example/%25252e%25252e/x",
		"https://pay.example/%zz", "https://pay.example/%", "https://pay.example/a b", "https://pay.example/a?b c",
		"https://pay.example/a?b\r\nX: y", "https://pay.example/" + strings.Repeat("a", maxURL),
	}
}

func TestParseTargetRefuses(t *testing.T) {
	t.Parallel()
	for _, raw := range hostileURLs() {
		if got, err := parseTarget(raw); err == nil {
			t.Errorf("parseTarget(%q) = %s; want an error", raw, got.url)
		}
	}
}

// FuzzTarget looks for a URL that is allowed, and of which another reader would say that it leads elsewhere.
func FuzzTarget(f *testing.F) {
	for _, raw := range hostileURLs() {
		f.Add(raw)
	}
	f.Add("https://pay.example/api/v1?x=1")
	f.Add("https://PAY.example.:443/api/%41;p=1/")
	f.Add("http://[::ffff:127.0.0.1]:8080/api")
	rule, err := Rule{Host: "pay.example", Methods: []string{"POST"}, PathPrefix: "/api"}.compile()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := parseTarget(raw)
		if err != nil {
			return
		}
		checkCanonical(t, got)
		if rule.covers("GET", got) {
			t.Errorf("%q: allowed for another method", raw)
		}
		if !rule.covers("POST", got) {
			return
		}
		text := got.url.String()
		rest, ok := strings.CutPrefix(text, "https://pay.example/")
		if !ok {
			t.Errorf("%q: %s is allowed", raw, text)
		}
		// What a server may make of the path: unescape it, clean it, or both, once or twice.
		p, _, _ := strings.Cut("/"+rest, "?")
		for range 3 {
			if cleaned := path.Clean(p); cleaned != "/api" && !strings.HasPrefix(cleaned, "/api/") &&
				!strings.Contains(p, "%") {
				t.Errorf("%q: %s is allowed, and leads to %s", raw, text, cleaned)
			}
			if p, err = url.PathUnescape(p); err != nil {
				break
			}
		}
	})
}

// checkCanonical checks that a target reads the same again, to this package and to net/url.
func checkCanonical(t *testing.T, got target) {
	t.Helper()
	text := got.url.String()
	again, err := parseTarget(text)
	if err != nil || again.url.String() != text || again.host != got.host || again.port != got.port {
		t.Errorf("%s reads again as %v, %v", text, again, err)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != got.scheme || u.Hostname() != got.host || u.User != nil || u.Fragment != "" {
		t.Errorf("%s reads as %v, %v", text, u, err)
	}
	if strings.ContainsAny(text, " \r\n\t\\#") {
		t.Errorf("%q holds what must not be sent", text)
	}
	if addr, err := netip.ParseAddr(got.host); err == nil && addr.String() != got.host {
		t.Errorf("host %s has another spelling: %s", got.host, addr)
	}
}
