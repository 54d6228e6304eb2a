package aurora_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

var key = []byte("a key that only this test knows")

func plugin(t *testing.T) *sdktest.Plugin {
	t.Helper()
	return sdktest.New(t, aurora.New(), sdktest.Config{
		Settings: `{"shop_id":"s1"}`, Secrets: []string{"api_key"}, Keys: map[string]any{"webhook": key},
	})
}

func request() pay.CreateRequest {
	return pay.CreateRequest{
		Intent: pay.Intent{Key: "op-1", ProviderKey: "op-1"}, PaymentID: "pay_1", OrderID: "1001",
		Amount: pay.New(1230, "EUR"), ReturnURL: "https://shop.example/back",
	}
}

func TestMethodsFitTheManifest(t *testing.T) {
	t.Parallel()
	if problems := sdk.Mismatch(aurora.New()); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		class pay.Class
		field string
	}{
		"create": {}, "create declined": {class: pay.ClassDeclined},
		"create refused":        {class: pay.ClassInvalidRequest, field: "amount"},
		"create not understood": {class: pay.ClassProtocol},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/life.txt#" + name)
			result, err := p.Create(request())
			if tt.class != 0 {
				if e := pay.AsError(err); e == nil || e.Class != tt.class || e.Field != tt.field {
					t.Errorf("error %v, want class %s and field %q", err, tt.class, tt.field)
				}
				return
			}
			if err != nil || result.ProviderRef != "ord_1" || result.Next.URL != "https://aurora.example/p/ord_1" {
				t.Errorf("result %+v, error %v", result, err)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	p := plugin(t)
	p.Transcript("testdata/life.txt#status")
	ref := func(id string) pay.Ref {
		return pay.Ref{ID: "pay_" + id, ProviderRef: "ord_" + id, Amount: pay.New(1230, "EUR")}
	}
	items, err := p.Status(ref("1"), ref("2"), ref("3"), ref("4"), pay.Ref{ID: "pay_5"})
	if err != nil || len(items) != 5 || items[4].Found != pay.FoundNothing {
		t.Fatalf("%d items, error %v", len(items), err)
	}
	paid := items[0].Observations[0]
	if paid.Payment != pay.PaymentSucceeded || paid.AmountRefunded != pay.New(30, "EUR") {
		t.Errorf("paid: %+v", paid)
	}
	if items[1].Found != pay.FoundNot {
		t.Errorf("unknown order: %s", items[1].Found)
	}
	if o := items[2].Observations[0]; o.Payment != pay.PaymentUnknown || o.ProviderState != "sleeping" {
		t.Errorf("unknown state: %+v", o)
	}
	if items[3].Err == nil || items[3].Err.Class != pay.ClassProtocol {
		t.Errorf("too precise an amount: %+v", items[3])
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	p := plugin(t)
	p.Transcript("testdata/life.txt#refund")
	result, err := p.Refund(pay.RefundRequest{
		Intent: pay.Intent{Key: "op-2", ProviderKey: "op-2"}, Payment: pay.Ref{ID: "pay_1", ProviderRef: "ord_1"},
		Amount: pay.New(30, "EUR"), Paid: pay.New(1230, "EUR"),
	})
	if err != nil || result.Outcome != pay.OutcomeApplied || result.ProviderRef != "re_1" {
		t.Errorf("result %+v, error %v", result, err)
	}
}

func TestNotification(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"ord_1","state":"paid","paid":12.30,"currency":"EUR"}`)
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	good := hex.EncodeToString(mac.Sum(nil))
	tests := map[string]struct {
		signature string
		body      []byte
		want      pay.Authenticity
	}{
		"genuine":       {good, body, pay.AuthenticityStrong},
		"other body":    {good, append([]byte(" "), body...), pay.AuthenticityNone},
		"no signature":  {"", body, pay.AuthenticityNone},
		"not even hex":  {"zz", body, pay.AuthenticityNone},
		"other's bytes": {good[:62] + "00", body, pay.AuthenticityNone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			note, err := plugin(t).Notification(pay.NotificationRequest{
				Method: "POST", Body: tt.body, Header: []pay.Field{{Name: "x-aurora-signature", Value: tt.signature}},
			})
			if err != nil || note.Authenticity != tt.want {
				t.Fatalf("%+v, error %v, want %s", note, err, tt.want)
			}
			if tt.want == pay.AuthenticityStrong && note.Observations[0].AmountPaid != pay.New(1230, "EUR") {
				t.Errorf("observation %+v", note.Observations[0])
			}
		})
	}
}
