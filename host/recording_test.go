package host_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// tape keeps the recordings of a host.
type tape struct {
	mu   sync.Mutex
	list []*host.Recording
}

func (p *tape) record(r *host.Recording) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, r)
}

func (p *tape) option(c *host.Config, _ *host.ConnectionConfig) { c.Record = p.record }

// last returns the last recording of an operation.
func (p *tape) last(t testing.TB, op pay.Operation) *host.Recording {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range slices.Backward(p.list) {
		if r.Operation == op {
			return r
		}
	}
	t.Fatalf("there is no recording of %s", op)
	return nil
}

// TestRecord records an operation both ways, and holds the recording against what
// was asked and what came of it.
func TestRecord(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p tape
			r := newRig(t, source, p.option)
			result, err := r.conn.Create(t.Context(), create(""))
			if err != nil {
				t.Fatal(err)
			}
			got := p.last(t, pay.OpCreate)
			if got.Connection != "main" || got.Plugin != "probe" || got.ID != "probe" || got.Digest != result.Revision ||
				got.Seen.BaseURL != r.server.URL || string(got.Seen.Settings) != `{"till_id":"t1"}` || got.Cut {
				t.Errorf("head %+v", got)
			}
			sent := create("")
			if in := got.Input.Create; in == nil || in.Key != sent.Key || in.Amount != sent.Amount || in.ProviderKey != result.ProviderKey {
				t.Errorf("input %+v", in)
			}
			sends := got.Sends()
			if len(sends) != 1 || !sends[0].Money || sends[0].Evidence != "answered" || sends[0].Answer.Status != http.StatusOK ||
				!strings.Contains(string(sends[0].Answer.Body), "pay.example/p1") {
				t.Fatalf("sends %+v", sends)
			}
			if got.Reply == nil || got.Reply.Result == nil || got.Verdict.Err != nil || got.Verdict.Evidence != result.Evidence {
				t.Fatalf("reply %+v, verdict %+v", got.Reply, got.Verdict)
			}
			if diff := cmp.Diff(result.Result, *got.Verdict.Result); diff != "" {
				t.Errorf("verdict (-result +recorded):\n%s", diff)
			}
			back, err := host.DecodeRecording(got.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(got.Encode()), string(back.Encode())); diff != "" {
				t.Errorf("round trip:\n%s", diff)
			}
		})
	}
}

// TestRecordTellsWhatWasRefused: the recording has what the guest tried, and the
// code that it got.
func TestRecordTellsWhatWasRefused(t *testing.T) {
	t.Parallel()
	var p tape
	r := newRig(t, rogue(func(i abi.Imports, _, _ int32) int32 {
		body := i.BlobNew(0)
		i.BlobWrite(body, []byte("\xff loot"))
		i.HTTPSend(abi.AppendHTTPRequest(nil, &abi.HTTPRequest{Method: "POST", URL: "https://elsewhere.example/x"}), body)
		i.HTTPSend([]byte{0xff}, 0)
		i.Log(abi.LogWarn, []byte("raw "+apiToken))
		i.Log(9, []byte("odd"))
		i.BlobLen(77)
		h, _ := i.KVGet([]byte("none"))
		i.BlobFree(h)
		random := make([]byte, 8)
		i.Random(random)
		i.Reply([]byte{0xff})
		return 0
	}), p.option)
	if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassPluginFault {
		t.Fatal(err)
	}
	got := p.last(t, pay.OpCreate)
	var told []string
	for _, c := range got.Calls {
		told = append(told, c.Import+" "+c.Code.String())
	}
	want := []string{
		"http_send denied", "http_send bad argument", "log ok", "log bad argument", "blob_len bad handle",
		"kv_get not found", "blob_free bad handle", "random ok", "reply ok",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	sends, lines := got.Sends(), got.Lines()
	if sends[0].Request.URL != "https://elsewhere.example/x" || string(sends[0].Body) != "\xff loot" || string(sends[1].Unreadable) != "\xff" {
		t.Errorf("sends %+v %+v", sends[0], sends[1])
	}
	if string(lines[0].Text) != "raw "+apiToken || lines[0].Level != "warn" || lines[1].Level != "9" {
		t.Errorf("lines %q, %q", lines[0].Text, lines[1].Text)
	}
	if got.Fault == nil || string(got.Unreadable) != "\xff" || len(got.Calls[7].Random) != 8 {
		t.Errorf("fault %v, unreadable %q", got.Fault, got.Unreadable)
	}
	if p.last(t, pay.OpCheckConfig) == nil || p.last(t, pay.OpDescribe) == nil {
		t.Error("not every call is recorded")
	}
	if _, err := host.DecodeRecording(got.Encode()); err != nil {
		t.Error(err)
	}
}

// TestRecordIsBounded: a guest without end does not make a recording without end.
func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	var p tape
	r := newRig(t, rogue(func(i abi.Imports, _, _ int32) int32 {
		for range 100_000 {
			i.NowNS()
		}
		return answer(abi.AppendReply(nil, &abi.Reply{Err: &pay.Error{Class: pay.ClassDeclined}}))(i, 0, 0)
	}), p.option)
	if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassDeclined {
		t.Fatal(err)
	}
	got := p.last(t, pay.OpCreate)
	if !got.Cut || len(got.Calls) > host.MaxRecording/128 || got.Reply == nil || got.Verdict.Err == nil {
		t.Errorf("cut %t, %d calls, reply %v", got.Cut, len(got.Calls), got.Reply)
	}
}

// FuzzDecodeRecording: whatever bytes come, decoding ends without a panic, what it
// took is written and read back as the same, and can be masked and replayed.
func FuzzDecodeRecording(f *testing.F) {
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"operation":"create","took":"1.5ms","input":{"create":{"intent":{"key":"k"},"amount":"25.00 KZT",` +
		`"customer":{"name":"x"}}},"calls":[{"import":"http_send","code":"denied","send":{"body":{"base64":"/w=="},` +
		`"request":{"method":"POST","auth":{"kind":3}}}}],"seen":{"settings":{"a":[1,2e3]}}}`))
	f.Add([]byte(`{"format":1,"reply":{"err":{"class":200,"effect":"maybe","retry_after":"3s"}},"began":"2026-01-15T10:00:00Z"}`))
	f.Add([]byte(`{"format":1,"operation":"create","seen":{"base_url":"https://x"},"input":{"create":{"intent":{"key":"k"},"amount":"25.00 KZT","lines":[{"name":"a","quantity":1,"price":"1.00 KZT"},{"name":"b","quantity":1,"price":"1.00 KZT"}]}},"calls":[{"import":"http_send","send":{"request":{"method":"POST","url":"https://x/read/x?who="},"evidence":"answered","answer":{"status":200}}},{"import":"kv_put","storage":{}},{"import":"sign","crypto":{"algorithm":"HS256","key":"mac"}},{"import":"digest"}]}`))
	f.Add([]byte(`{"format":1,"input":{"create":{"amount":{"minor":5,"currency":"???"}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := host.DecodeRecording(b)
		if err != nil {
			return
		}
		once := r.Encode()
		again, err := host.DecodeRecording(once)
		if err != nil {
			t.Fatalf("what was written does not read: %v\n%s", err, once)
		}
		if twice := again.Encode(); string(twice) != string(once) {
			t.Errorf("not the same:\n%s\n%s", once, twice)
		}
		masked := again.Mask()
		if _, err := host.DecodeRecording(masked.Encode()); err != nil {
			t.Errorf("a masked one does not read: %v\n%s", err, masked.Encode())
		}
		for _, r := range []*host.Recording{r, masked} {
			if _, err := host.Replay(t.Context(), rogue(gossip), r); err != nil && !strings.HasPrefix(err.Error(), "host: replay: ") {
				t.Error(err)
			}
		}
	})
}
