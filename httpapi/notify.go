package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/payhost/payhost/sdk/pay"
)

const tagInbound = "Notifications"

// A provider's call has a head of this size at most: what is larger would not fit into
// what a plugin is given.
const (
	maxHeadFields = 512
	maxHeadBytes  = 64 << 10
)

func (a *API) serveNotifications() {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a.plain(route{
			id: "notify-" + strings.ToLower(method), method: method, path: "/n/{connection}/{nonce}", tag: tagInbound, writes: true,
			fails: []int{404, 413, 429, 431, 503}, summary: "A provider's call",
			about: "For providers only; the URL is handed to them. It is stored as it came before it is answered, and answered exactly as the " +
				"provider's plugin says. HEAD is taken, too. No token: what it may move is decided by how far the plugin can trust it.",
		}, a.notify)
	}
}

// notify hands a provider's call to the engine and answers with its word.
func (a *API) notify(x *exchange, r *http.Request) {
	name, nonce := r.PathValue("connection"), r.PathValue("nonce")
	if !isName(name) || !isName(nonce) {
		x.problem(notFound("no such notification URL"))
		return
	}
	if wait, ok := a.inbound.take(name); !ok {
		x.problem(tooMany("too many calls for this connection", wait))
		return
	}
	if tooLong(r) {
		x.problem(refuse(http.StatusRequestHeaderFieldsTooLarge, pay.ClassLimit.String(), "head is too large"))
		return
	}
	body, p := readBody(x, r, a.config.Limits.Notification, a.config.Limits.BodyTimeout)
	if p != nil {
		x.problem(p)
		return
	}
	ack, err := a.config.Engine.Notify(detached(r.Context()), name, nonce, pay.NotificationRequest{
		Method: r.Method, Path: rawPath(r), Query: r.URL.RawQuery, Header: fields(r), Body: body,
		PeerCertificate: peer(r), ReceivedAt: a.config.Now(),
	})
	if err != nil {
		a.report(x, err)
		x.problem(problemOf(err, true))
		return
	}
	x.acknowledge(ack)
}

func tooLong(r *http.Request) bool {
	count, size := 0, len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			count, size = count+1, size+len(name)+len(v)
		}
	}
	return count > maxHeadFields || size > maxHeadBytes
}

// rawPath is the path as it was sent, since a signature may be over it.
func rawPath(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath()
}

// fields lists the header sorted by name, the values of one in the order they came.
func fields(r *http.Request) []pay.Field {
	list := []pay.Field{{Name: "Host", Value: r.Host}}
	for name, values := range r.Header {
		for _, v := range values {
			list = append(list, pay.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(list, func(a, b pay.Field) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func peer(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}

// acknowledge answers a provider exactly as its plugin says. What frames the answer
// is the server's, and a status that is none answers 502.
func (x *exchange) acknowledge(ack pay.Ack) {
	header := x.Header()
	header["Content-Type"] = nil // not guessed
	seen := map[string]bool{}
	for _, f := range ack.Header {
		name := http.CanonicalHeaderKey(f.Name)
		switch {
		case !isName(f.Name):
		case slices.Contains([]string{"Connection", "Content-Length", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"}, name):
		case seen[name]:
			header.Add(name, f.Value)
		default:
			seen[name] = true
			header.Set(name, f.Value)
		}
	}
	switch {
	case ack.Status == 0:
		ack.Status = http.StatusOK
	case ack.Status < 200 || ack.Status > 599:
		ack.Status = http.StatusBadGateway
	}
	x.WriteHeader(ack.Status)
	if ack.Status != http.StatusNoContent && ack.Status != http.StatusNotModified && len(ack.Body) > 0 {
		_, _ = x.Write(ack.Body) // the provider may be gone
	}
}
