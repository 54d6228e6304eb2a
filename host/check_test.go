package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// TestCheck holds the checks against the operations: the same requests are refused
// for the same field, without a key and with nothing sent or run.
func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	amount, paid := pay.New(1000, pay.KZT), pay.New(250000, pay.KZT)
	odd := create("")
	odd.Amount.Minor = 150
	late := create("")
	late.ExpiresAt = time.Unix(1, 0)
	big := create("")
	big.Customer.Name = strings.Repeat("x", 300<<10)
	unkeyed := create("trap")
	unkeyed.Key = ""
	tests := map[string]struct {
		err   error
		class pay.Class // 0 for none
		field string
	}{
		"create":          {r.conn.CheckCreate(unkeyed), 0, ""},
		"create, odd":     {r.conn.CheckCreate(odd), pay.ClassInvalidRequest, "amount.value"},
		"create, expired": {r.conn.CheckCreate(late), pay.ClassInvalidRequest, "expires_at"},
		"create, big":     {r.conn.CheckCreate(big), pay.ClassInvalidRequest, ""},
		"refund":          {r.conn.CheckRefund(pay.RefundRequest{Amount: amount, Paid: paid}), 0, ""},
		// A refund is not held to what a payment may be at most, nor the whole of it to the least; a part of it is.
		"refund of what was taken under wider bounds": {
			r.conn.CheckRefund(pay.RefundRequest{Amount: pay.New(200_000_000, pay.KZT), Paid: pay.New(200_000_000, pay.KZT)}), 0, "",
		},
		"refund, not in steps": {
			r.conn.CheckRefund(pay.RefundRequest{Amount: pay.New(50, pay.KZT), Paid: pay.New(50, pay.KZT)}), pay.ClassInvalidRequest, "amount.value",
		},
		"refund, too much":   {r.conn.CheckRefund(pay.RefundRequest{Amount: paid, Paid: amount}), pay.ClassInvalidRequest, "amount.value"},
		"cancel":             {r.conn.CheckCancel(pay.PaymentRequest{}), 0, ""},
		"bind":               {r.conn.CheckBind(pay.BindRequest{Code: "x"}), pay.ClassUnsupported, ""},
		"release":            {r.conn.CheckRelease(pay.PaymentRequest{Amount: amount}), pay.ClassUnsupported, ""},
		"confirm":            {r.conn.CheckConfirm(pay.PaymentRequest{}), pay.ClassUnsupported, ""},
		"confirm a refund":   {r.conn.CheckConfirmRefund(pay.RefundRequest{}), pay.ClassUnsupported, ""},
		"give up a refund":   {r.conn.CheckCancelRefund(pay.RefundRequest{}), pay.ClassUnsupported, ""},
		"receipt":            {r.conn.CheckReceipt(pay.ReceiptRequest{}), pay.ClassUnsupported, ""},
		"operation, no key":  {second(r.conn.Create(t.Context(), unkeyed)), pay.ClassInvalidRequest, "key"},
		"operation, the odd": {second(r.conn.Create(t.Context(), odd)), pay.ClassInvalidRequest, "amount.value"},
	}
	for name, tt := range tests {
		e := pay.AsError(tt.err)
		switch {
		case tt.class == 0 && tt.err == nil:
		case e == nil || e.Class != tt.class || e.Field != tt.field || e.Effect != pay.EffectNone || e.Operation == 0:
			t.Errorf("%s: error %+v, want %s of field %q", name, e, tt.class, tt.field)
		}
	}
	if len(r.requests()) != 0 {
		t.Errorf("requests %q", r.requests())
	}
}

func second(_ host.Result, err error) error { return err }

// TestRevisionInUse asks a connection what it runs on, before and after its end.
func TestRevisionInUse(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	if !r.conn.Supports(pay.OpRefund) || r.conn.Supports(pay.OpBind) || r.conn.Revision() != "native" {
		t.Errorf("refund %t, bind %t, revision %q", r.conn.Supports(pay.OpRefund), r.conn.Supports(pay.OpBind), r.conn.Revision())
	}
	if !r.host.Disconnect("main") {
		t.Fatal("not connected")
	}
	if r.conn.Supports(pay.OpRefund) || r.conn.Revision() != "" {
		t.Error("a closed connection still has a revision")
	}
	if err := r.conn.CheckCreate(create("")); pay.ClassOf(err) != pay.ClassHostFault {
		t.Errorf("check of a closed connection: %v", err)
	}
}
