package host_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// rogue is the probe whose create is done by hand, at the level of the ABI.
func rogue(create abi.Guest) host.Source {
	good := sdk.Native(probe.New())
	return host.Source{Native: func(imports abi.Imports, op, inputLen int32) int32 {
		if pay.Operation(op) == pay.OpCreate {
			return create(imports, op, inputLen)
		}
		return good(imports, op, inputLen)
	}}
}

// TestGuestBreaksTheABI lets a guest answer as no guest should. Nothing was sent,
// so nothing was applied; the host says what was broken.
func TestGuestBreaksTheABI(t *testing.T) {
	t.Parallel()
	reply := abi.AppendReply(nil, &abi.Reply{Result: &pay.Result{Outcome: pay.OutcomeDeclined}})
	tests := map[string]struct {
		create abi.Guest
		class  pay.Class
		text   string
	}{
		"no reply": {func(abi.Imports, int32, int32) int32 { return 0 }, pay.ClassPluginFault, "no reply"},
		"two replies": {func(i abi.Imports, _, _ int32) int32 {
			if i.Reply(reply) != 0 || i.Reply(reply) != int32(abi.Conflict) {
				return 1
			}
			return 0
		}, pay.ClassPluginFault, "more than once"},
		"not a message":      {answer([]byte{0xff, 0xff}), pay.ClassPluginFault, "malformed"},
		"empty":              {answer(nil), pay.ClassPluginFault, "neither a result nor an error"},
		"too large":          {answer(make([]byte, abi.MaxMessage+1)), pay.ClassPluginFault, "no reply"},
		"positive code":      {code(7), pay.ClassPluginFault, "without an answer"},
		"negative code":      {code(-2147483648), pay.ClassPluginFault, "without an answer"},
		"not implemented":    {code(int32(abi.Unsupported)), pay.ClassUnsupported, "does not implement"},
		"unknown error":      {answer(abi.AppendReply(nil, &abi.Reply{Err: &pay.Error{Class: 200}})), 200, ""},
		"a panic with words": {func(abi.Imports, int32, int32) int32 { panic("secret words") }, pay.ClassPluginFault, "trapped"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, rogue(tt.create))
			result, err := r.conn.Create(t.Context(), create(""))
			e := pay.AsError(err)
			if e == nil || e.Class != tt.class || !strings.Contains(e.Error(), tt.text) || strings.Contains(e.Error(), "secret words") {
				t.Fatalf("error %v of class %s, want %s with %q", err, pay.ClassOf(err), tt.class, tt.text)
			}
			if result.Outcome != pay.OutcomeNotApplied || e.Effect != pay.EffectNone {
				t.Errorf("outcome %s, effect %s", result.Outcome, e.Effect)
			}
		})
	}
}

func answer(message []byte) abi.Guest {
	return func(i abi.Imports, _, _ int32) int32 { i.Reply(message); return 0 }
}

func code(c int32) abi.Guest { return func(abi.Imports, int32, int32) int32 { return c } }

// TestImportsRefuse calls each import in ways that must be refused, and wants the
// code that docs/abi.md promises.
func TestImportsRefuse(t *testing.T) {
	t.Parallel()
	spec := func(alg, key string) []byte {
		return abi.AppendCryptoSpec(nil, &abi.CryptoSpec{Algorithm: alg, Key: key})
	}
	request := func(r abi.HTTPRequest) []byte { return abi.AppendHTTPRequest(nil, &r) }
	tests := map[string]struct {
		call func(abi.Imports) int32
		want abi.Code
	}{
		"input behind the end":     {func(i abi.Imports) int32 { return i.Input(1<<31, make([]byte, 1)) }, abi.BadArgument},
		"too much chance":          {func(i abi.Imports) int32 { return i.Random(make([]byte, 2<<20)) }, abi.TooLarge},
		"a blob of a terabyte":     {func(i abi.Imports) int32 { return i.BlobNew(1 << 40) }, abi.Quota},
		"a blob of less than none": {func(i abi.Imports) int32 { return i.BlobNew(-1) }, abi.Quota},
		"blobs without end":        {endlessBlobs, abi.Quota},
		"bytes without end":        {endlessBytes, abi.Quota},
		"no such blob":             {func(i abi.Imports) int32 { return i.BlobWrite(99, nil) }, abi.BadHandle},
		"handle zero":              {func(i abi.Imports) int32 { return i.BlobFree(0) }, abi.BadHandle},
		"a freed blob":             {func(i abi.Imports) int32 { h := i.BlobNew(0); i.BlobFree(h); return i.BlobFree(h) }, abi.BadHandle},
		"read behind the end":      {func(i abi.Imports) int32 { return i.BlobRead(i.BlobNew(0), 1, make([]byte, 1)) }, abi.BadArgument},
		"read at less than none":   {func(i abi.Imports) int32 { return i.BlobRead(i.BlobNew(0), -1, make([]byte, 1)) }, abi.BadArgument},
		"head is garbage":          {func(i abi.Imports) int32 { return i.HTTPSend([]byte{0xff}, 0) }, abi.BadArgument},
		"head is huge":             {func(i abi.Imports) int32 { return i.HTTPSend(make([]byte, abi.MaxMessage+1), 0) }, abi.TooLarge},
		"body is no blob": {func(i abi.Imports) int32 {
			return i.HTTPSend(request(abi.HTTPRequest{Method: "POST", URL: "https://x"}), 5)
		}, abi.BadHandle},
		"host not granted": {func(i abi.Imports) int32 {
			return i.HTTPSend(request(abi.HTTPRequest{Method: "POST", URL: "https://x"}), 0)
		}, abi.Denied},
		"a file": {func(i abi.Imports) int32 {
			return i.HTTPSend(request(abi.HTTPRequest{Method: "GET", URL: "file:///etc/passwd"}), 0)
		}, abi.Denied},
		"unknown digest":            {func(i abi.Imports) int32 { return i.Digest(99, i.BlobNew(0), make([]byte, 64)) }, abi.Unsupported},
		"key not declared":          {func(i abi.Imports) int32 { return i.Sign(spec("HS256", "other"), i.BlobNew(0)) }, abi.Denied},
		"algorithm not allowed":     {func(i abi.Imports) int32 { return i.Sign(spec("HS512", "mac"), i.BlobNew(0)) }, abi.Unsupported},
		"spec is garbage":           {func(i abi.Imports) int32 { return i.Verify([]byte{1}, 0, 0) }, abi.BadArgument},
		"decrypt with a MAC key":    {func(i abi.Imports) int32 { return i.Decrypt(spec("RSA-OAEP-256", "mac"), i.BlobNew(0)) }, abi.Unsupported},
		"empty storage key":         {func(i abi.Imports) int32 { h, _ := i.KVGet(nil); return h }, abi.BadArgument},
		"storage key too long":      {func(i abi.Imports) int32 { h, _ := i.KVGet(make([]byte, 300)); return h }, abi.TooLarge},
		"storage key not there":     {func(i abi.Imports) int32 { h, _ := i.KVGet([]byte("x")); return h }, abi.NotFound},
		"lifetime of less than 0":   {func(i abi.Imports) int32 { c, _ := i.KVPut([]byte("x"), i.BlobNew(0), -1, -1); return c }, abi.BadArgument},
		"version that is not there": {func(i abi.Imports) int32 { c, _ := i.KVPut([]byte("x"), i.BlobNew(0), 0, 7); return c }, abi.Conflict},
		"list of nothing":           {func(i abi.Imports) int32 { return i.KVList(nil, nil, 0) }, abi.BadArgument},
		"unknown log level":         {func(i abi.Imports) int32 { return i.Log(9, []byte("x")) }, abi.BadArgument},
		"log without end":           {func(i abi.Imports) int32 { return i.Log(2, make([]byte, 1<<20)) }, abi.Quota},
		"no such span":              {func(i abi.Imports) int32 { return i.SpanEnd(3, nil) }, abi.BadHandle},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got, told int32
			r := newRig(t, rogue(func(i abi.Imports, _, _ int32) int32 {
				got = tt.call(i)
				detail := make([]byte, 1024)
				if n := i.LastError(detail); n > 0 {
					if e, err := abi.DecodeError(detail[:n]); err == nil && e.Class != 0 && e.Message != "" {
						told++
					}
				}
				return answer(abi.AppendReply(nil, &abi.Reply{Err: &pay.Error{Class: pay.ClassDeclined}}))(i, 0, 0)
			}))
			if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassDeclined {
				t.Fatal(err)
			}
			if abi.Code(got) != tt.want || told != 1 {
				t.Errorf("code %s, want %s; told why: %t", abi.Code(got), tt.want, told == 1)
			}
			if len(r.requests()) != 0 {
				t.Errorf("requests %q", r.requests())
			}
		})
	}
}

func endlessBlobs(i abi.Imports) int32 {
	for {
		if h := i.BlobNew(0); h < 0 {
			return h
		}
	}
}

func endlessBytes(i abi.Imports) int32 {
	h := i.BlobNew(0)
	for chunk := make([]byte, 1<<20); ; {
		if n := i.BlobWrite(h, chunk); n < 0 {
			return n
		}
	}
}

// TestNoImportTellsASecret reads everything that imports give, also after each has
// used a secret or a key, and looks for the values.
func TestNoImportTellsASecret(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	r := newRig(t, rogue(func(i abi.Imports, _, inputLen int32) int32 {
		take := func(copyInto func([]byte) int32) {
			b := make([]byte, 64<<10)
			if n := copyInto(b); n > 0 {
				all.Write(b[:min(int(n), len(b))])
			}
		}
		blob := func(h int32) {
			take(i.LastError)
			take(func(p []byte) int32 { return i.BlobRead(h, 0, p) })
		}
		take(func(p []byte) int32 { return i.Input(0, p[:inputLen]) })
		take(i.Config)
		take(i.Features)
		data := i.BlobNew(0)
		i.BlobWrite(data, []byte("data"))
		spec := abi.AppendCryptoSpec(nil, &abi.CryptoSpec{Algorithm: "HS256", Key: "mac"})
		for _, h := range []int32{i.Sign(spec, data), i.Encrypt(spec, data), i.Decrypt(spec, data), i.Verify(spec, data, data)} {
			blob(h)
		}
		for kind := abi.AuthKind(0); kind <= abi.AuthHMAC+1; kind++ {
			head := i.HTTPSend(abi.AppendHTTPRequest(nil, &abi.HTTPRequest{
				Method: "POST", URL: baseURL(i) + "/read/x", Effect: abi.EffectRead,
				Auth: &abi.Auth{Kind: kind, User: "api_token", Secret: "api_token", Header: "X-Key", Key: "mac", Algorithm: "HS256"},
			}), 0)
			blob(head)
			for h := head; h > 0 && h < head+3; h++ {
				blob(h)
			}
		}
		page := i.KVList(nil, nil, 100)
		blob(page)
		return answer(abi.AppendReply(nil, &abi.Reply{Err: &pay.Error{Class: pay.ClassDeclined}}))(i, 0, 0)
	}))
	if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassDeclined {
		t.Fatal(err)
	}
	if !strings.Contains(all.String(), "api_token") || len(r.requests()) == 0 {
		t.Fatalf("the guest saw too little: %q, requests %q", all.String(), r.requests())
	}
	for _, value := range []string{apiToken, macKey} {
		if strings.Contains(all.String(), value) {
			t.Errorf("a guest saw %q", value)
		}
	}
}

// baseURL reads the connection's base URL as a guest does.
func baseURL(i abi.Imports) string {
	b := make([]byte, 4<<10)
	n := i.Config(b)
	c, err := abi.DecodeConnectionConfig(b[:n])
	if err != nil {
		return ""
	}
	return c.BaseURL
}
