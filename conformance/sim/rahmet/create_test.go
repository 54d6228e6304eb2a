package rahmet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"net/url"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

func createV1(t *testing.T, b *bench) {
	got := b.create("WEE-11122", "2500")
	if got.ID == 0 || !strings.HasPrefix(got.URL, b.url+"/pay?id=") || got.Inner+got.External != "" ||
		got.QR != nil {
		t.Errorf("got %+v, want an id and url only", got)
	}
	if i := b.item("WEE-11122"); i.IsPaid || i.Reference != got.ID || i.Amount != nil || i.Cashback != nil {
		t.Errorf("status %+v, want an unpaid order with its reference", i)
	}
	b.wantEffects()
}

func createV2(t *testing.T, b *bench) {
	var got created
	b.decode(b.send("POST", createV2Path, order("1", "2500", "image_size", "300")), &got)
	if got.URL != "" || got.QR == nil || got.Inner == got.External ||
		!strings.HasPrefix(got.External, b.url+"/pay?id=") {
		t.Fatalf("got %+v, want inner_url, external_url and a picture", got)
	}
	text, ok := strings.CutPrefix(*got.QR, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("qr_image_base_64 %.40s: %v", *got.QR, err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(raw))
	if err != nil || config.Width != 300 || config.Height != 300 {
		t.Errorf("picture %+v, %v; want 300 by 300", config, err)
	}
}

func createRefuses(t *testing.T, b *bench) {
	tests := map[string]url.Values{
		"no id":           order("", "1"),
		"no amount":       form("merchant_order_id", "1", "token", rahmet.BranchToken),
		"zero":            order("1", "0"),
		"negative":        order("1", "-1"),
		"exponent":        order("1", "1e3"),
		"comma":           order("1", "1,5"),
		"C10 tiyn":        order("1", "25.50"),
		"C10 three":       order("1", "25.505"),
		"too large":       order("1", "99999999999999999999"),
		"no branch":       form("merchant_order_id", "1", "amount", "1"),
		"foreign branch":  form("merchant_order_id", "1", "amount", "1", "token", "other"),
		"postlink":        order("1", "1", "postlink", "/paid"),
		"failed_postlink": order("1", "1", "failed_postlink", "ftp://x/"),
		"backlink":        order("1", "1", "backlink", "thanks"),
		"image_size":      order("1", "1", "image_size", "big"),
		"timeout":         order("1", "1", "timeout", "0"),
		"failed_on_check": order("1", "1", "failed_on_check", "perhaps"),
		"from":            order("1", "1", "request_from_type", "fax"),
	}
	for name, values := range tests {
		got := b.send("POST", createPath, values)
		if got.Code != 422 || got.Status != "error" {
			t.Errorf("%s: %+v, want 422", name, got)
		}
	}
	if len(b.Objects()) != 0 {
		t.Error("a refused create made an order")
	}
	b.set("fractions", "accept")
	b.set("branch_token", "optional")
	if got := b.send("POST", createPath, form("merchant_order_id", "1", "amount", "25.50")); got.Code != 0 {
		t.Errorf("fractions accepted: %+v", got)
	}
	if o, err := b.Object("1"); err != nil || o.Amount != 2550 {
		t.Errorf("amount %d, %v; want 2550 tiyn", o.Amount, err)
	}
}

func createRepeated(t *testing.T, b *bench) {
	first := b.create("1", "2500")
	if again := b.create("1", "999"); again.ID != first.ID || again.URL != first.URL {
		t.Errorf("same_order: %+v, want %+v", again, first)
	}
	b.set("repeat_create", "error")
	b.refused(b.send("POST", createPath, order("1", "2500")), 200, 409)
	b.set("repeat_create", "new_order")
	second := b.create("1", "2500")
	if second.ID == first.ID || second.URL == first.URL {
		t.Errorf("new_order: %+v, want another order", second)
	}
	b.move(b.idOf(first), "paid")
	if i := b.item("1"); !i.IsPaid || i.Reference != first.ID {
		t.Errorf("status %+v, want the paid one of two", i)
	}
	b.move(b.idOf(second), "paid")
	b.wantEffects("charge 250000", "charge 250000")
	b.set("repeat_create", "same_order")
	b.refused(b.send("POST", createPath, order("1", "2500")), 200, 409)
}

func (b *bench) idOf(c created) string { return jsonText(c.ID) }

func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func createLost(t *testing.T, b *bench) {
	for id, amount := range map[string]string{"by-fault": "100", "magic": "903"} {
		if id == "by-fault" {
			b.armCut()
		}
		if got, err := b.try("POST", createPath, order(id, amount)); err == nil {
			t.Fatalf("%s: got %+v, want no answer", id, got)
		}
		if i := b.item(id); i.IsPaid || i.Reference == 0 {
			t.Errorf("%s: status %+v, want an unpaid order with a reference", id, i)
		}
		if again := b.create(id, amount); again.URL == "" || again.ID != b.item(id).Reference {
			t.Errorf("%s: asked for the link again: %+v", id, again)
		}
	}
	if got, err := b.try("POST", createPath, order("before", "904")); err == nil {
		t.Fatalf("904: got %+v, want no answer", got)
	}
	if data := b.status("before"); data != "[]" {
		t.Errorf("904 made an order: %s", data)
	}
	b.create("before", "904")
}

func (b *bench) armCut() {
	b.t.Helper()
	if err := b.Fault(simkit.Fault{Path: createPath, Kind: simkit.CutAfter, Count: 1}); err != nil {
		b.t.Fatal(err)
	}
}
