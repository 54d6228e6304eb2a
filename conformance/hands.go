package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/payhost/payhost/host"
)

// Reconnect takes another configuration of the connection, as an operator's reload
// would: change is given the one there is.
func (l *Life) Reconnect(change func(c *host.ConnectionConfig)) {
	next := l.config
	change(&next)
	l.reconfigured = true
	l.station.host.Disconnect(l.Connection)
	if _, err := l.station.host.Connect(l.ctx, next); err != nil {
		l.Fatalf("connect: %v", err)
	}
	l.config = next
}

// TryConnect returns the error with which a configuration of the connection is
// refused; nil if it is taken. Nothing is changed.
func (l *Life) TryConnect(change func(c *host.ConnectionConfig)) error {
	next := l.config
	next.Name += "-try"
	change(&next)
	_, err := l.station.host.Connect(l.ctx, next)
	l.station.host.Disconnect(next.Name)
	return err
}

// KillAt has the process die the nth time from now that it passes a boundary: "create.after_write",
// "refund.before_outcome", "notification.stored" and the like; see [payments.Config].
func (l *Life) KillAt(point string, nth int) {
	p := l.process
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = killPlan{at: point, nth: p.seen[point] + nth}
}

// Call makes a call to payhost as the provider or a stranger would, to a path and
// query such as an [Inbound] has, and returns the answer. The status is 0 if the
// process died of it; it is started again.
func (l *Life) Call(method, uri string, header http.Header, body []byte) (status int, answer []byte) {
	r, err := http.NewRequestWithContext(l.ctx, method, l.front.url+uri, bytes.NewReader(body))
	l.Must(err)
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := l.suite.client.Do(r)
	if err != nil {
		if l.dead() {
			l.revive()
		}
		return 0, nil
	}
	defer response.Body.Close()
	answer, _ = io.ReadAll(response.Body)
	return response.StatusCode, answer
}

// Again makes a call of the provider once more, as it came.
func (l *Life) Again(in Inbound) (status int, answer []byte) {
	return l.Call(in.Method, in.URI, in.Header, in.Body)
}

// Entry is a line of a payment's timeline.
type Entry struct {
	At    string          `json:"at"`
	Kind  string          `json:"kind"`
	Actor string          `json:"actor"`
	Body  json.RawMessage `json:"body"`
}

// Timeline returns payhost's ledger of a payment or a receipt that stands alone.
func (l *Life) Timeline(id string) []Entry {
	var out struct {
		Entries []Entry `json:"entries"`
	}
	if l.process == nil || l.dead() {
		return nil
	}
	a := l.Request(http.MethodGet, "/v1/payments/"+id+"/timeline", "", nil)
	if a.Code != http.StatusOK || json.Unmarshal([]byte(a.Raw), &out) != nil {
		return nil
	}
	return out.Entries
}
