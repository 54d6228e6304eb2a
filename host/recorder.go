package host

import (
	"bytes"
	"strconv"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// recorder stands between a guest and its call and writes down what passes. It
// changes nothing of it: what it does not write down is the call's own method.
type recorder struct {
	*call
	out   *Recording
	left  int // bytes that still fit
	began time.Time
}

var _ abi.Imports = (*recorder)(nil)

func newRecorder(c *call) *recorder {
	limits := c.host.config.Limits
	return &recorder{
		call: c, left: MaxRecording, began: time.Now(),
		out: &Recording{
			Format: RecordingFormat, Operation: c.op, Began: c.host.config.Now().UTC(),
			Features: abi.Features{
				Host: "payhost " + Version, ABIMinor: ABIMinor, MaxCalls: limits.HTTPCalls, MaxMemory: limits.MemoryBytes,
			},
		},
	}
}

// guest is what a guest calls: the call itself, or what stands before it.
func (c *call) guest() abi.Imports {
	switch {
	case c.instead != nil:
		return c.instead
	case c.recorder != nil:
		return c.recorder
	}
	return c
}

// record hands the recording over, with the host's verdict. It must be called once
// for each call of a plugin, after everything else.
func (c *call) record(v Verdict, err error) {
	if r := c.recorder; r != nil {
		c.recorder = nil
		r.end(v, err)
		c.host.config.Record(r.out)
	}
}

// end fills in what is known only after the call. Nothing is shared with what the
// host's caller gets: all of it is encoded and decoded once more.
func (r *recorder) end(v Verdict, err error) {
	o, b := r.out, r.binding
	o.Took = time.Since(r.began)
	if b != nil {
		m := &b.revision.manifest
		o.scrub = b.scrubber
		o.Connection, o.Plugin, o.Digest, o.ID, o.Version = b.name, b.plugin, b.revision.digest, m.ID, m.Version
		if seen, err := abi.DecodeConnectionConfig(bytes.Clone(b.config)); err == nil {
			o.Seen = SeenConnection{
				BaseURL: seen.BaseURL, Settings: seen.Settings, Keys: seen.Keys, Secrets: seen.Secrets, Identities: seen.Identities,
			}
		}
	}
	body := o.Input.Notification // its body was kept before the guest could free it
	o.Input = decodeInput(r.op, bytes.Clone(r.input))
	if o.Input.Notification != nil && body != nil {
		o.Input.Notification.Body = body.Body
	}
	if r.replied > 0 {
		if reply, err := abi.DecodeReply(bytes.Clone(r.reply)); err == nil {
			o.Reply = &reply
		} else {
			o.Unreadable = bytes.Clone(r.reply)
		}
	}
	o.Verdict = v.clone(pay.AsError(err))
}

// noReply notes why the call came to no reply.
func (c *call) noReply(fault *pay.Error) {
	if c.recorder != nil && fault != nil {
		e := *fault
		e.Err = nil
		c.recorder.out.Fault = &e
	}
}

func (v Verdict) clone(e *pay.Error) Verdict {
	out := Verdict{ProviderKey: v.ProviderKey, Evidence: v.Evidence}
	raw := abi.AppendReply(nil, &abi.Reply{
		Err: e, Result: v.Result, Items: v.Items, Notification: v.Notification, Problems: v.Problems, Catalog: v.Catalog,
	})
	reply, err := abi.DecodeReply(raw)
	if err != nil { // what the host encodes it decodes, but for more entries than a message may have
		return out
	}
	out.Result, out.Items, out.Notification = reply.Result, reply.Items, reply.Notification
	out.Problems, out.Catalog, out.Err = reply.Problems, reply.Catalog, reply.Err
	if out.Err != nil {
		out.Err.Operation = e.Operation
	}
	return out
}

// decodeInput reads an input message; the host has written it, so it decodes.
func decodeInput(op pay.Operation, b []byte) (in RecordedInput) {
	switch op {
	case pay.OpCreate:
		in.Create = decoded(abi.DecodeCreate(b))
	case pay.OpBind:
		in.Bind = decoded(abi.DecodeBind(b))
	case pay.OpRelease, pay.OpConfirm, pay.OpCancel:
		in.Payment = decoded(abi.DecodePayment(b))
	case pay.OpStatus, pay.OpRefundStatus:
		in.Refs, _ = abi.DecodeRefs(b)
	case pay.OpRefund, pay.OpConfirmRefund, pay.OpCancelRefund:
		in.Refund = decoded(abi.DecodeRefund(b))
	case pay.OpReceipt:
		in.Receipt = decoded(abi.DecodeReceipt(b))
	case pay.OpNotification:
		m, _, err := abi.DecodeNotification(b)
		in.Notification = decoded(m, err)
	}
	return in
}

func decoded[T any](m T, err error) *T {
	if err != nil {
		return nil
	}
	return &m
}

// prepared is called when the input is there and before the guest runs.
func (r *recorder) prepared() {
	if r.op != pay.OpNotification {
		return
	}
	_, h, _ := abi.DecodeNotification(r.input)
	body, _ := r.blobs.get(h)
	r.out.Input.Notification = &pay.NotificationRequest{Body: r.keep(body)}
}

// keep copies bytes if they fit. What does not fit ends the recording.
func (r *recorder) keep(p []byte) []byte {
	if len(p) == 0 {
		return nil
	}
	if r.out.Cut || len(p) > r.left {
		r.out.Cut = true
		return nil
	}
	r.left -= len(p)
	return bytes.Clone(p)
}

// held copies a blob.
func (r *recorder) held(h int32) []byte {
	if h <= 0 || r.out.Cut {
		return nil
	}
	b, _ := r.blobs.get(h)
	return r.keep(b)
}

// note adds a call with its code.
func (r *recorder) note(name string, code int64, entry ImportCall) {
	const each = 128 // what an entry costs besides its bytes, roughly
	if r.out.Cut || r.left < each {
		r.out.Cut = true
		return
	}
	r.left -= each
	entry.Import = name
	if code < 0 {
		entry.Code = abi.Code(code)
		if e, err := abi.DecodeError(bytes.Clone(r.lastErr)); err == nil && len(r.lastErr) > 0 {
			entry.Error = &e
		}
	}
	r.out.Calls = append(r.out.Calls, entry)
}

// failed notes a call that is of no interest unless it fails.
func (r *recorder) failed(name string, code int32) int32 {
	if code < 0 {
		r.note(name, int64(code), ImportCall{})
	}
	return code
}

// Input notes what fails.
func (r *recorder) Input(off uint32, p []byte) int32 {
	return r.failed("input", r.call.Input(off, p))
}

// Config notes what fails.
func (r *recorder) Config(p []byte) int32 { return r.failed("config", r.call.Config(p)) }

// Reply notes that the reply was given; the recording holds it once.
func (r *recorder) Reply(p []byte) int32 {
	code := r.call.Reply(p)
	r.note("reply", int64(code), ImportCall{})
	return code
}

// NowNS notes the time.
func (r *recorder) NowNS() int64 {
	ns := r.call.NowNS()
	r.note("now_ns", 0, ImportCall{Now: time.Unix(0, ns).UTC()})
	return ns
}

// DeadlineNS notes the time that was left.
func (r *recorder) DeadlineNS() int64 {
	ns := r.call.DeadlineNS()
	r.note("deadline_ns", 0, ImportCall{Left: time.Duration(ns)})
	return ns
}

// Random notes the bytes that were given.
func (r *recorder) Random(p []byte) int32 {
	code := r.call.Random(p)
	if code < 0 {
		return r.failed("random", code)
	}
	r.note("random", 0, ImportCall{Random: r.keep(p)})
	return code
}

// BlobNew notes what fails; so do the other imports of blobs.
func (r *recorder) BlobNew(capacity int64) int32 {
	return r.failed("blob_new", r.call.BlobNew(capacity))
}

// BlobWrite notes what fails.
func (r *recorder) BlobWrite(h int32, p []byte) int32 {
	return r.failed("blob_write", r.call.BlobWrite(h, p))
}

// BlobRead notes what fails.
func (r *recorder) BlobRead(h int32, off int64, p []byte) int32 {
	return r.failed("blob_read", r.call.BlobRead(h, off, p))
}

// BlobLen notes what fails.
func (r *recorder) BlobLen(h int32) int64 {
	n := r.call.BlobLen(h)
	if n < 0 {
		r.failed("blob_len", int32(n))
	}
	return n
}

// BlobFree notes what fails.
func (r *recorder) BlobFree(h int32) int32 { return r.failed("blob_free", r.call.BlobFree(h)) }

// HTTPSend notes the request, whatever becomes of it, and what the wire has shown.
func (r *recorder) HTTPSend(head []byte, body int32) int32 {
	s := &RecordedSend{Body: r.held(body)}
	if m, err := abi.DecodeHTTPRequest(r.keep(head)); err == nil {
		s.Request, s.Money = m, r.counts(&m)
	} else {
		s.Unreadable = r.keep(head)
	}
	before := len(r.wire.exchanges)
	code := r.call.HTTPSend(head, body)
	if list := r.wire.exchanges; len(list) > before {
		s.wire(list[len(list)-1])
	}
	if code > 0 {
		s.Answer = r.answer(code)
	}
	r.note("http_send", int64(code), ImportCall{Send: s})
	return code
}

// counts reports whether the host takes a request for a writing call; see
// [call.HTTPSend].
func (c *call) counts(m *abi.HTTPRequest) bool {
	return m.Effect != abi.EffectRead || c.binding == nil || !c.binding.reading(m.Method, m.URL)
}

func (s *RecordedSend) wire(x *egress.Exchange) {
	s.Evidence, s.Status, s.Attempts = x.Evidence.String(), x.Status, len(x.Attempts)
	for _, a := range x.Attempts {
		s.BytesOut += a.BytesOut
	}
}

// answer copies an answer from the blobs that hold it.
func (r *recorder) answer(h int32) *RecordedAnswer {
	m, err := abi.DecodeHTTPResponse(r.held(h))
	if err != nil {
		return nil
	}
	return &RecordedAnswer{Status: m.Status, Header: m.Header, Body: r.held(m.Body), TokenGeneration: m.TokenGeneration}
}

// Log notes the line as it is.
func (r *recorder) Log(level int32, line []byte) int32 {
	text := r.keep(line)
	code := r.call.Log(level, line)
	r.note("log", int64(code), ImportCall{Line: &RecordedLine{Level: levelName(level), Text: text}})
	return code
}

func levelName(level int32) string {
	switch level {
	case abi.LogDebug:
		return "debug"
	case abi.LogInfo:
		return "info"
	case abi.LogWarn:
		return "warn"
	case abi.LogError:
		return "error"
	}
	return strconv.Itoa(int(level))
}

// SpanStart notes the span's name.
func (r *recorder) SpanStart(name []byte) int32 {
	id := r.call.SpanStart(name)
	r.note("span_start", int64(id), ImportCall{Span: &RecordedSpan{ID: int(max(id, 0)), Name: r.keep(name)}})
	return id
}

// SpanEnd notes what the guest says of the span.
func (r *recorder) SpanEnd(id int32, attrs []byte) int32 {
	code := r.call.SpanEnd(id, attrs)
	r.note("span_end", int64(code), ImportCall{Span: &RecordedSpan{ID: int(id), Attrs: r.keep(attrs)}})
	return code
}
