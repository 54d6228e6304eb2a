package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// replaying answers a guest from a recording. Blobs, the reply and the log are the
// call's own.
type replaying struct {
	*call
	rec *Recording
	d   *differing

	used   []bool // by the index of rec.Calls
	last   int    // index of the latest request that was matched
	now    []time.Time
	spare  []time.Duration
	random []byte
	drawn  uint64 // blocks that were made when random was used up
	memory map[string]*stored
}

var _ abi.Imports = (*replaying)(nil)

func newReplaying(r *Recording, d *differing) *replaying {
	t := &replaying{rec: r, d: d, used: make([]bool, len(r.Calls)), last: -1, memory: map[string]*stored{}}
	for i, c := range r.Calls {
		switch c.Import {
		case "http_send": // what did not decode can't be matched
			t.used[i] = c.Send == nil || len(c.Send.Unreadable) > 0
		case "now_ns":
			t.now = append(t.now, c.Now)
		case "deadline_ns":
			t.spare = append(t.spare, c.Left)
		case "random":
			t.random = append(t.random, c.Random...)
		}
	}
	return t
}

// NowNS gives the recorded times, and the last of them again.
func (t *replaying) NowNS() int64 { return next(&t.now, t.rec.Began).UnixNano() }

// DeadlineNS gives what was left then.
func (t *replaying) DeadlineNS() int64 {
	return int64(next(&t.spare, t.host.config.Limits.CallTimeout))
}

// next takes the first of a list and leaves the last one there for good.
func next[T any](list *[]T, none T) T {
	switch len(*list) {
	case 0:
		return none
	case 1:
		return (*list)[0]
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

// Random gives the recorded bytes, however they are cut, and after them ones that
// are the same in every replay.
func (t *replaying) Random(p []byte) int32 {
	if len(p) > 1<<20 {
		return t.bad(abi.TooLarge, "random: more than 1 MiB")
	}
	for len(t.random) < len(p) {
		t.drawn++
		block := sha256.Sum256(binary.BigEndian.AppendUint64(nil, t.drawn))
		t.random = append(t.random, block[:]...)
	}
	n := copy(p, t.random)
	t.random = t.random[n:]
	return int32(n)
}

// HTTPSend answers a request as the recorded one was.
func (t *replaying) HTTPSend(head []byte, body int32) int32 {
	m, err := abi.DecodeHTTPRequest(bytes.Clone(head))
	if len(head) > abi.MaxMessage || err != nil {
		t.d.add("request: does not decode")
		return t.bad(abi.BadArgument, "http_send: head does not decode")
	}
	var data []byte
	if body != 0 {
		b, code := t.blob(body)
		if code < 0 {
			return code
		}
		data = b
	}
	money := t.counts(&m)
	i := t.match(&m)
	if i < 0 {
		return t.unknown(&m, money)
	}
	was := &t.rec.Calls[i]
	name := t.name(i)
	t.d.request(name, was.Send, &RecordedSend{Request: m, Body: data, Money: money})
	if i < t.last {
		t.d.add(name + ": reordered: it came before " + t.name(t.last))
	}
	t.last = max(t.last, i)
	if was.Send.Evidence == "" { // policy refused it, then
		if was.Error != nil && was.Error.Message == unwrittenText && t.rec.Verdict.Err != nil {
			t.unwritten = t.rec.Verdict.Err
		}
		return t.again(was)
	}
	if code := t.maySend(money); code < 0 {
		t.d.add(name + ": the host would refuse it now: " + abi.Code(code).String())
		return code
	}
	t.sent(was.Send, money)
	if was.Code < 0 {
		if money && was.Code == abi.OutcomeUnknown {
			t.wire.seen.Wire, t.wire.open = pay.WireUnknown, true
		}
		return t.again(was)
	}
	return t.answerAs(was.Send, money)
}

// match finds the recorded request that a request is, and takes it.
func (t *replaying) match(m *abi.HTTPRequest) int {
	for i, c := range t.rec.Calls {
		if c.Send != nil && !t.used[i] && c.Send.Request.Method == m.Method && pathOf(c.Send.Request.URL) == pathOf(m.URL) {
			t.used[i] = true
			return i
		}
	}
	return -1
}

// pathOf is a URL without its query.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// name is what a recorded request is called in differences.
func (t *replaying) name(i int) string {
	n := 0
	for _, c := range t.rec.Calls[:i+1] {
		if c.Send != nil {
			n++
		}
	}
	return "request " + strconv.Itoa(n) + " (" + target(&t.rec.Calls[i].Send.Request) + ")"
}

// target is a request's method and path.
func target(m *abi.HTTPRequest) string {
	u, err := url.Parse(m.URL)
	if err != nil {
		return m.Method
	}
	return m.Method + " " + u.EscapedPath()
}

// unknown refuses a request that the recording does not have.
func (t *replaying) unknown(m *abi.HTTPRequest, money bool) int32 {
	if code := t.maySend(money); code < 0 {
		t.d.add("request added (" + target(m) + "): the host would refuse it: " + abi.Code(code).String())
		return code
	}
	t.d.add("request added (" + target(m) + "): the recording does not have it; it is answered as not sent")
	t.wire.calls++
	if money {
		t.wire.writes++
	}
	t.saw(&egress.Exchange{Evidence: egress.NotSent}, money)
	return t.fail(abi.NotSent, pay.ClassUnavailable, "the recording has no such request")
}

// sent puts into the evidence what the wire has shown of a recorded request.
func (t *replaying) sent(s *RecordedSend, money bool) {
	t.wire.calls++
	if money {
		t.wire.writes++
	}
	x := &egress.Exchange{
		Method: s.Request.Method, URL: egress.MaskURL(s.Request.URL), Status: s.Status,
		Attempts: make([]egress.Attempt, min(max(s.Attempts, 0), 64)),
	}
	if len(x.Attempts) > 0 {
		x.Attempts[0].BytesOut = s.BytesOut
	}
	switch s.Evidence {
	case egress.Answered.String():
		x.Evidence = egress.Answered
	case egress.NotSent.String():
		x.Evidence = egress.NotSent
	}
	t.saw(x, money)
}

// again gives a recorded refusal.
func (t *replaying) again(was *ImportCall) int32 {
	e := was.Error
	if e == nil {
		e = &pay.Error{Class: pay.ClassPluginFault, Message: "refused, as recorded"}
	}
	code := was.Code
	if code >= 0 { // a recording that was changed by hand
		code = abi.Internal
	}
	return t.failWith(code, e)
}

func (t *replaying) answerAs(s *RecordedSend, money bool) int32 {
	a := s.Answer
	if a == nil {
		return t.fail(abi.OutcomeUnknown, pay.ClassTimeout, "the recording has no answer")
	}
	r := &egress.Response{Status: a.Status, Body: slices.Clone(a.Body), TokenGeneration: uint64(a.TokenGeneration)}
	for _, f := range a.Header {
		r.Header = append(r.Header, egress.Field{Name: f.Name, Value: f.Value})
	}
	if money {
		t.wire.retryAfter = retryAfter(r.Get("Retry-After"), t.host.config.Now())
	}
	return t.respond(r)
}

// left tells what the recording has and the revision did not do. Reads of storage
// that are not made are no difference.
func (t *replaying) missing() {
	for i, c := range t.rec.Calls {
		if t.used[i] {
			continue
		}
		switch c.Import {
		case "http_send":
			t.d.add(t.name(i) + ": missing")
		case "kv_put", "kv_del", "kv_incr":
			if c.Storage != nil {
				t.d.add(c.Import + " " + strconv.Quote(string(c.Storage.Key)) + ": missing")
			}
		case "sign", "encrypt":
			if c.Crypto != nil {
				t.d.add(c.Import + " with key " + c.Crypto.Key + ": missing")
			}
		}
	}
}
