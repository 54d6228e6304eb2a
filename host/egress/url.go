package egress

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL is the longest URL in bytes. Servers commonly take 8 KiB for the whole request line.
const maxURL = 8 << 10

// target is a URL that passed parseTarget. What is sent is made from it, so that what was checked is what
// leaves.
type target struct {
	scheme string // "http" or "https"
	host   string // lower case, no trailing dot; an IPv6 address without brackets
	port   uint16
	url    *url.URL // the same again, canonical: no default port, no user, no fragment
}

// parseTarget reads an absolute URL in the strict sense: a text that two readers could take for two different
// places is an error. The errors hold nothing of the text.
func parseTarget(raw string) (target, error) {
	if len(raw) > maxURL {
		return target{}, errors.New("url: is longer than 8 KiB")
	}
	for i := range len(raw) {
		// url.Parse takes all of these somewhere; other parsers take them elsewhere.
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return target{}, errors.New("url: holds a space, a control or non-ASCII character, \\ or #")
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, errors.New("url: does not parse")
	}
	t := target{scheme: u.Scheme}
	if t.scheme != "http" && t.scheme != "https" {
		return target{}, errors.New("url: the scheme is neither https nor http")
	}
	if u.Opaque != "" || u.User != nil || u.Host == "" {
		return target{}, errors.New("url: must be scheme://host[:port]/path with no user")
	}
	if t.host, err = canonicalHost(u.Hostname()); err != nil {
		return target{}, err
	}
	if t.port, err = canonicalPort(u.Host, u.Port(), t.scheme); err != nil {
		return target{}, err
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if err := checkPath(u.EscapedPath()); err != nil {
		return target{}, err
	}
	*u = url.URL{
		Scheme: t.scheme, Host: t.hostPort(),
		Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery,
	}
	t.url = u
	return t, nil
}

// hostPort returns the host as it stands in a URL: with brackets where needed, with the port unless it is the
// default.
func (t target) hostPort() string {
	if t.port != defaultPort(t.scheme) {
		return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
	}
	if strings.Contains(t.host, ":") {
		return "[" + t.host + "]"
	}
	return t.host
}

func defaultPort(scheme string) uint16 {
	if scheme == "http" {
		return 80
	}
	return 443
}

// canonicalPort reads the port of an authority.
func canonicalPort(authority, port, scheme string) (uint16, error) {
	if port == "" {
		if strings.HasSuffix(authority, ":") {
			return 0, errors.New("url: the port is empty")
		}
		return defaultPort(scheme), nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return 0, errors.New("url: the port is not a number from 1 to 65535")
	}
	return uint16(n), nil
}

// canonicalHost returns the one spelling of a host: lower case, without the trailing dot of a full name.
// Numbers that some resolvers take for an IPv4 address (127.1, 0x7f000001, 2130706433) are errors, so are
// zones.
func canonicalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		if err != nil || addr.Zone() != "" {
			return "", errors.New("url: the host is not a plain IPv6 address")
		}
		return addr.String(), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || len(host) > 253 {
		return "", errors.New("url: the host is empty or longer than 253 characters")
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if !validLabel(label) {
			return "", errors.New("url: the host is not a name of letters, digits, - and _")
		}
		last = label
	}
	if last[0] >= '0' && last[0] <= '9' {
		// No top-level domain begins with a digit.
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return "", errors.New("url: the host is a number but no dotted IPv4 address")
		}
		return addr.String(), nil
	}
	return host, nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// checkPath looks at every segment of an escaped path. A segment that some server would take for another path
// (an escaped slash, a dot segment in any dress, a second layer of escaping) is an error.
func checkPath(escaped string) error {
	if escaped[0] != '/' {
		return errors.New("url: the path does not begin with /")
	}
	segments := strings.Split(escaped[1:], "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return errors.New("url: the path does not unescape")
		}
		if text == "" && i < len(segments)-1 {
			return errors.New("url: the path holds //")
		}
		if strings.ContainsAny(text, "/\\\x7f") || strings.ContainsFunc(text, isControl) {
			return errors.New("url: the path holds an escaped slash, backslash or control character")
		}
		// "..;x" is ".." for servers that know path parameters; "%252e" is for those that unescape twice.
		name, _, _ := strings.Cut(text, ";")
		if name = strings.Trim(name, " "); name != "" && strings.Trim(name, ".") == "" {
			return errors.New("url: the path holds a dot segment")
		}
		if again, err := url.PathUnescape(text); err == nil && again != text {
			return errors.New("url: the path is escaped twice")
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' }
