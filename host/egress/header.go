package egress

import (
	"net/http"
	"strings"
)

// hostOwned reports whether a header, in canonical spelling, is the host's to set: those that frame the
// message, those that speak to the connection, and those that would change what counts as an answer.
func hostOwned(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Te", "Expect", "Accept-Encoding",
		"Connection", "Keep-Alive", "Upgrade", "Http2-Settings":
		return true
	}
	return strings.HasPrefix(name, "Proxy-")
}

// single reports whether two fields of this name would leave it to the server which one counts.
func single(name string) bool {
	switch name {
	case "Authorization", "Content-Type", "Idempotency-Key", "X-Idempotency-Key":
		return true
	}
	return false
}

// checkHeader checks the plugin's header fields, one by one and together.
func (c *Client) checkHeader(r *Request) *Error {
	if len(r.Header) > c.limits.Headers {
		return refuse("headers: more than %d", c.limits.Headers)
	}
	filled := r.Auth.header()
	size := 0
	seen := make(map[string]bool, len(r.Header))
	for i, f := range r.Header {
		if !validToken(f.Name) {
			return refuse("headers[%d]: the name is not a token", i)
		}
		name := http.CanonicalHeaderKey(f.Name)
		switch {
		case !validHeaderValue(f.Value):
			return refuse("headers[%d]: the value of %s holds a line end or a control character", i, name)
		case hostOwned(name):
			return refuse("headers[%d]: %s is set by the host", i, name)
		case name == filled:
			return refuse("headers[%d]: %s is filled by auth", i, name)
		case seen[name] && single(name):
			return refuse("headers[%d]: %s is given twice", i, name)
		}
		seen[name] = true
		size += len(f.Name) + len(f.Value) + len(": \r\n")
	}
	if size > c.limits.HeaderBytes {
		return refuse("headers: larger than %d bytes", c.limits.HeaderBytes)
	}
	return nil
}

// httpHeader returns the plugin's fields and the host's as net/http wants them.
func (r *Request) httpHeader() http.Header {
	header := make(http.Header, len(r.Header)+3)
	room := make([]string, 0, len(r.Header)+2) // one array for the values of all fields
	add := func(name, value string) {
		if given := header[name]; given != nil {
			header[name] = append(given, value)
			return
		}
		room = append(room, value)
		header[name] = room[len(room)-1 : len(room) : len(room)]
	}
	for _, f := range r.Header {
		add(http.CanonicalHeaderKey(f.Name), f.Value)
	}
	if header.Get("User-Agent") == "" {
		delete(header, "User-Agent")
		add("User-Agent", "payhost/1")
	}
	header["Accept-Encoding"] = acceptGzip
	return header
}

// acceptGzip is shared by all requests: net/http changes no header that it is given.
var acceptGzip = []string{"gzip"}

// validToken reports whether the text is a token of RFC 9110, section 5.6.2.
func validToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

// validHeaderValue reports whether the text can stand in one line of a head. Bytes above ASCII may: providers
// use them.
func validHeaderValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
