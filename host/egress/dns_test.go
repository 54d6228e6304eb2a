package egress_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/host/egress"
)

// names is a DNS server that gives the n-th query for an address the n-th answer, and the last one from then
// on. It knows IPv4 alone. An invalid address means that the name does not exist.
type names struct {
	conn    net.PacketConn
	mu      sync.Mutex
	answers []netip.Addr
	wg      sync.WaitGroup
}

func resolver(t testing.TB, answers ...netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	n := &names{conn: conn, answers: answers}
	n.wg.Go(n.serve)
	t.Cleanup(func() {
		_ = conn.Close()
		n.wg.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := n.reply(buf[:size]); reply != nil {
			_, _ = n.conn.WriteTo(reply, from)
		}
	}
}

// reply answers one query (RFC 1035, section 4.1).
func (n *names) reply(query []byte) []byte {
	end := 12
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root, type and class
	if end > len(query) {
		return nil
	}
	reply := append([]byte(nil), query[:end]...)
	binary.BigEndian.PutUint16(reply[2:], 0x8180) // a recursive answer
	binary.BigEndian.PutUint16(reply[6:], 0)      // answers
	binary.BigEndian.PutUint32(reply[8:], 0)      // authorities, additional
	if binary.BigEndian.Uint16(query[end-4:]) != 1 {
		return reply // not a query for an IPv4 address
	}
	n.mu.Lock()
	addr := n.answers[0]
	if len(n.answers) > 1 {
		n.answers = n.answers[1:]
	}
	n.mu.Unlock()
	if !addr.IsValid() {
		binary.BigEndian.PutUint16(reply[2:], 0x8183)
		return reply
	}
	binary.BigEndian.PutUint16(reply[6:], 1)
	// The name of the question, type A, class IN, no caching, four bytes.
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(reply, addr.AsSlice()...)
}

// named is a base URL with a name in place of the address, and the rule for it.
func named(t testing.TB, w *wire, name string, r *net.Resolver) (string, func(*egress.Config)) {
	t.Helper()
	return strings.Replace(w.URL, "127.0.0.1", name, 1), func(c *egress.Config) { c.Resolver = r }
}

// TestRebinding: a name that was fine leads elsewhere the second time.
func TestRebinding(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, sayAndClose(answer(200, "fine", "Connection: close")))
	base, edit := named(t, w, "rebind.example",
		resolver(t, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("169.254.169.254")))
	c := open(t, base, edit)
	mustDo(t, c, pay(base, "/pay"))
	e, x := mustFail(t, c, pay(base, "/pay"), egress.Refused, egress.NotSent)
	if len(x.Attempts) != 1 || x.Attempts[0].BytesOut != 0 || strings.Contains(e.Error(), "169") {
		t.Errorf("%v, %+v", e, x.Attempts)
	}
}

// TestPrivateAddress: without the grant no private address is connected to, by a name or as it stands.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	base, edit := named(t, w, "inside.example", resolver(t, netip.MustParseAddr("127.0.0.1")))
	for _, base := range []string{base, w.URL, strings.Replace(w.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		c := open(t, base, edit, func(c *egress.Config) { c.AllowPrivate = false })
		for _, r := range []*egress.Request{pay(base, "/pay"), reading(base), keyed(base)} {
			_, x := mustFail(t, c, r, egress.Refused, egress.NotSent)
			if len(x.Attempts) != 1 {
				t.Errorf("%d attempts; a refused address is refused again", len(x.Attempts))
			}
		}
	}
	if w.connections() != 0 {
		t.Errorf("%d connections were made", w.connections())
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	base, edit := named(t, w, "nowhere.example", resolver(t, netip.Addr{}))
	c := open(t, base, edit)
	mustFail(t, c, pay(base, "/pay"), egress.DNS, egress.NotSent)
}

// TestHostHeader: the name of the URL is what the server is told, in its one spelling.
func TestHostHeader(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	w := serve(t, p.server("pay.example"), say(ok("fine")))
	base, edit := named(t, w, "PAY.Example.", resolver(t, netip.MustParseAddr("127.0.0.1")))
	c := open(t, base, trusting(t, p), edit)
	r := get(base, "/status?q=1")
	r.Identity = "trust"
	mustDo(t, c, r)
	if got := w.all("")[0]; got.path != "/status?q=1" {
		t.Errorf("path %q", got.path)
	}
}
