package abi_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// One target per decoder: go test ./sdk/abi -fuzz=FuzzReply.

func FuzzCreate(f *testing.F)           { fuzz(f, "CreateRequest") }
func FuzzBind(f *testing.F)             { fuzz(f, "BindRequest") }
func FuzzPayment(f *testing.F)          { fuzz(f, "PaymentRequest") }
func FuzzRefs(f *testing.F)             { fuzz(f, "StatusRequest") }
func FuzzRefund(f *testing.F)           { fuzz(f, "RefundRequest") }
func FuzzReceipt(f *testing.F)          { fuzz(f, "ReceiptRequest") }
func FuzzNotification(f *testing.F)     { fuzz(f, "NotificationRequest") }
func FuzzReply(f *testing.F)            { fuzz(f, "Reply") }
func FuzzError(f *testing.F)            { fuzz(f, "Error") }
func FuzzManifest(f *testing.F)         { fuzz(f, "Manifest") }
func FuzzHTTPRequest(f *testing.F)      { fuzz(f, "HTTPRequest") }
func FuzzHTTPResponse(f *testing.F)     { fuzz(f, "HTTPResponse") }
func FuzzCryptoSpec(f *testing.F)       { fuzz(f, "CryptoSpec") }
func FuzzKVPage(f *testing.F)           { fuzz(f, "KVPage") }
func FuzzConnectionConfig(f *testing.F) { fuzz(f, "ConnectionConfig") }
func FuzzFeatures(f *testing.F)         { fuzz(f, "Features") }

// fuzz holds that hostile bytes never panic, that what is accepted is protobuf,
// and that it reads and writes back to the same bytes from the first write on.
func fuzz(f *testing.F, name string) {
	var c codec
	for _, have := range codecs() {
		if have.name == name {
			c = have
		}
	}
	f.Add([]byte{})
	f.Add([]byte("\x0a\x05hello"))
	f.Add([]byte("\x0a\x02\x08\x01\x0a\x02\x10\x02\xa2\x06\x01x"))
	f.Add(bytes.Repeat([]byte("\x22\x04\x1a\x00\x1a\x00"), 8))
	f.Add([]byte("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		was := bytes.Clone(raw)
		m, err := c.decode(raw)
		if !bytes.Equal(was, raw) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if !wellFormed(raw) {
			t.Fatalf("accepted what is no protobuf: %x", raw)
		}
		first := c.encode(nil, m)
		again, err := c.decode(first)
		if err != nil {
			t.Fatalf("does not read what it wrote: %v\n%x", err, first)
		}
		if second := c.encode(nil, again); !bytes.Equal(first, second) {
			t.Fatalf("written twice, not the same:\n%x\n%x", first, second)
		}
	})
}

// wellFormed walks the top level by another implementation.
func wellFormed(b []byte) bool {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}
